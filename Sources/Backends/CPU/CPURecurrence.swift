import CPUKernels
import RecurrentCore

/// Takes chunks of the batch's rows through all T steps. Each chunk stays on one thread,
/// which computes the chunk's products: there is no barrier, lock or allocation inside the loop.
final class CPURecurrence: RecurrenceExecutor {
    private let backend: CPUBackend
    private let outside: DefaultRecurrence
    private let loops: LoopPlan
    private let forwardLoop: LoopCode
    private let backwardLoop: LoopCode?

    init(_ plan: RecurrencePlan, _ binding: RecurrenceBinding, on backend: CPUBackend) throws {
        self.backend = backend
        outside = try DefaultRecurrence(plan, binding, on: backend)
        loops = LoopPlan(plan, binding)
        forwardLoop = try LoopCode(loops, isBackward: false, outside, on: backend)
        backwardLoop = plan.training ? try LoopCode(loops, isBackward: true, outside, on: backend) : nil
    }

    func forward() throws {
        if let tokens, let embedding { backend.checkIndices(tokens, embedding) }
        outside.runPrelude { !loops.isInside($0) }
        forwardLoop.run(on: backend, tokens: tokens)
    }

    func backward() throws {
        guard let backwardLoop else { preconditionFailure("the plan was compiled without a backward pass") }
        backwardLoop.run(on: backend, tokens: tokens)
        outside.runEpilogue { !loops.isInside($0) }
    }

    private var embedding: MatrixView? {
        outside.plan.buffers.firstIndex { $0.role == .embedding }.flatMap { outside.binding.views[$0] }
    }

    private var tokens: [Int32]? { outside.binding.tokens.map { ($0 as! CPUIndices).values } }
}

/// One of a plan's loops as an array of operations for the C code.
private final class LoopCode {
    private let operations: UnsafeMutableBufferPointer<ck_operation>
    private let views: [UnsafeMutablePointer<ck_view>]
    private let kernels: [CPUKernel]
    private let memory: CPUMemory
    private var loop: ck_loop

    /// The number of chunks, which depends on the batch and the products alone. About 50 rows
    /// keep a step's products near full speed. Two chunks keep two threads busy, which is worth
    /// waking them where taking a row through all steps is long enough.
    private static func chunkCount(_ operations: [ck_operation], steps: Int, batch: Int) -> Int {
        let weights = operations.reduce(0) { $0 + ($1.kind == CK_GEMM ? Int($1.n) * Int($1.k) : 0) }
        let isWorthTwo = batch >= 16 || (batch >= 4 && steps * batch * weights >= 1 << 22)
        return isWorthTwo ? 2 * ((batch + 127) / 128) : 1
    }

    init(
        _ loops: LoopPlan, isBackward: Bool, _ recurrence: DefaultRecurrence, on backend: CPUBackend
    ) throws {
        let binding = recurrence.binding
        let batch = binding.batch
        let kernels = recurrence.kernels.map { $0 as! CPUKernel }
        var operations: [ck_operation] = []
        var views: [UnsafeMutablePointer<ck_view>] = []
        func store(_ list: [ck_view]) -> UnsafePointer<ck_view> {
            let pointer = UnsafeMutablePointer<ck_view>.allocate(capacity: max(list.count, 1))
            for (index, view) in list.enumerated() { (pointer + index).initialize(to: view) }
            views.append(pointer)
            return UnsafePointer(pointer)
        }

        func view(_ operand: PlanOperand) -> (view: MatrixView, step: Int)? {
            guard let first = binding.view(operand, in: recurrence.plan, at: 0) else { return nil }
            switch recurrence.plan.buffers[operand.buffer].role {
            case .parameter, .parameterGradient, .derivedVectors, .perToken, .scratch, .stateGradient: return (first, 0)
            case .perStep where loops.isLocal(operand.buffer, isBackward: isBackward): return (first, 0)
            default: return (first, batch * first.rowStride)
            }
        }
        for operation in isBackward ? loops.backward : loops.forward {
            var code = ck_operation()
            switch operation {
            case .gemm(let a, let b, let result, let accumulate):
                guard let target = view(result) else { continue }
                let source = view(a)!, weight = view(b)!.view
                code.a = source.view.kernelView(step: source.step)
                code.result = target.view.kernelView(step: target.step)
                code.b = UnsafePointer(weight.pointer)
                code.transpose_b = b.isTransposed
                code.ldb = Int32(b.isTransposed ? weight.columnStride : weight.rowStride)
                code.n = Int32(target.view.columns)
                code.k = Int32(source.view.columns)
                code.accumulate = accumulate
            case .kernel(let program, let inputs, let outputs):
                let targets = outputs.compactMap { view($0) }
                guard targets.count == outputs.count else { continue }
                let columns = targets[0].view.columns
                code.kind = CK_KERNEL
                code.program = UnsafePointer(kernels[program].code)
                code.columns = Int32(columns)
                code.inputs = store(
                    inputs.map { operand in
                        let source = view(operand) ?? (recurrence.zeros, 0)
                        return source.view.broadcast(rows: batch, columns: columns).kernelView(step: source.step)
                    })
                code.outputs = store(targets.map { $0.view.kernelView(step: $0.step) })
            case .lookup(let table, let result):
                let source = view(table)!, target = view(result)!
                code.kind = CK_LOOKUP
                code.a = source.view.kernelView()
                code.result = target.view.kernelView(step: target.step)
                code.n = Int32(target.view.columns)
            case .tokenSum(let delta, let table):
                let source = view(delta)!, target = view(table)!
                code.kind = CK_TOKEN_SUM
                code.a = source.view.kernelView(step: source.step)
                code.result = target.view.kernelView()
                code.n = Int32(target.view.columns)
                code.table_rows = Int32(target.view.rows)
            case .weightGradient(let delta, let operand, let result):
                let source = view(operand)!, gradient = view(delta)!, target = view(result)!
                code.kind = CK_WEIGHT_GRADIENT
                code.a = source.view.kernelView(step: source.step)
                code.delta = gradient.view.kernelView(step: gradient.step)
                code.result = target.view.kernelView()
                code.n = Int32(source.view.columns)
                code.k = Int32(gradient.view.columns)
            case .vectorGradient(let delta, let results):
                let source = view(delta)!
                code.kind = CK_ROW_SUM
                code.a = source.view.kernelView(step: source.step)
                code.n = Int32(source.view.columns)
                code.outputs = store(results.map { view($0)!.view.kernelView() })
                code.output_count = Int32(results.count)
                code.accumulate = recurrence.plan.buffers[results[0].buffer].role != .derivedVectors
            }
            operations.append(code)
        }
        self.operations = .allocate(capacity: max(operations.count, 1))
        _ = self.operations.initialize(from: operations)
        self.views = views
        self.kernels = kernels
        loop = ck_loop(
            operations: self.operations.baseAddress, count: Int32(operations.count), steps: Int32(binding.steps),
            batch: Int32(batch), chunks: Int32(Self.chunkCount(operations, steps: binding.steps, batch: batch)),
            backward: isBackward, workspace: nil, tokens: nil)
        memory = try CPUMemory(Int(ck_loop_workspace(backend.team, &loop)))
        loop.workspace = memory.base
    }

    deinit {
        for pointer in views { pointer.deallocate() }
        operations.deallocate()
    }

    /// Runs all steps.
    ///
    /// - Parameter tokens: the T·B tokens, if the plan reads any.
    func run(on backend: CPUBackend, tokens: [Int32]?) {
        guard let tokens else { return ck_run_loop(backend.team, &loop) }
        tokens.withUnsafeBufferPointer {
            loop.tokens = $0.baseAddress
            ck_run_loop(backend.team, &loop)
        }
    }
}
