import RecurrentCore

/// The operations of a plan that the time loops run: those of the plan's loops, and what of the prelude and the epilogue is
/// done best step by step, while the rows of a step are in a near cache.
///
/// What a step's own operations alone write and read then needs the room of one step, and never leaves that cache.
struct LoopPlan {
    let forward: [PlanOperation]
    let backward: [PlanOperation]
    private let plan: RecurrencePlan
    private let binding: RecurrenceBinding
    private let forwardLocal: Set<Int>
    private let backwardLocal: Set<Int>

    init(_ plan: RecurrencePlan, _ binding: RecurrenceBinding) {
        self.plan = plan
        self.binding = binding
        func isInside(_ operation: PlanOperation) -> Bool { Self.isInside(operation, plan, binding) }
        forward = plan.prelude.filter(isInside) + plan.forwardLoop
        backward = plan.backwardLoop + plan.epilogue.filter(isInside)
        let outside = (plan.prelude + plan.epilogue).filter { !isInside($0) }
        var candidates = Set(plan.buffers.indices.filter { plan.buffers[$0].role == .perStep })
        candidates.subtract(outside.flatMap { $0.reads + $0.results }.map(\.buffer))
        backwardLocal = candidates.subtracting(Self.readFirst(backward, plan))
        forwardLocal = backwardLocal.subtracting(Self.readFirst(forward, plan))
    }

    /// Whether an operation of the prelude or the epilogue runs in a loop.
    func isInside(_ operation: PlanOperation) -> Bool { Self.isInside(operation, plan, binding) }

    /// Whether a buffer of all steps needs the room of one step only: a pass reads nothing there that it hasn't written in
    /// the same step.
    func isLocal(_ buffer: Int, isBackward: Bool) -> Bool {
        (isBackward ? backwardLocal : forwardLocal).contains(buffer)
    }

    /// Decides by shapes alone, so that the bits are the same at any number of threads. A chunk needs enough rows for
    /// products with few of them to be fast; and weights, and each chunk's sums, must fit into a near cache.
    private static func isInside(
        _ operation: PlanOperation, _ plan: RecurrencePlan, _ binding: RecurrenceBinding
    ) -> Bool {
        func isOfTokens(_ operand: PlanOperand) -> Bool { plan.buffers[operand.buffer].role.isOfTokens }
        let hasRows = binding.batch >= 32
        switch operation {
        case .kernel: return false
        case .lookup: return true
        case .tokenSum(_, let table): return binding.views[table.buffer]!.count <= 1 << 16
        case .gemm(let a, _, let result, _):
            return hasRows && !isOfTokens(a) && a.columns * result.columns <= 1 << 14
        case .weightGradient(let delta, let operand, _):
            return hasRows && !isOfTokens(delta) && delta.columns * operand.columns <= 1 << 16
        case .vectorGradient(let delta, _): return hasRows && !isOfTokens(delta)
        }
    }

    /// Returns the buffers from which a step reads columns that it hasn't written.
    private static func readFirst(_ operations: [PlanOperation], _ plan: RecurrencePlan) -> Set<Int> {
        var written = plan.buffers.map { [Bool](repeating: false, count: $0.columns) }
        var found: Set<Int> = []
        for operation in operations {
            var reads = operation.reads
            if case .gemm(_, _, let sum, accumulate: true) = operation { reads.append(sum) }
            for operand in reads where !written[operand.buffer][operand.range].allSatisfy({ $0 }) {
                found.insert(operand.buffer)
            }
            for operand in operation.results {
                for column in operand.range { written[operand.buffer][column] = true }
            }
        }
        return found
    }
}

extension PlanOperand {
    fileprivate var range: Range<Int> { column..<column + columns }
}
