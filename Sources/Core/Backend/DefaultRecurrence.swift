extension Backend {
    public func makeRecurrence(_ plan: RecurrencePlan, _ binding: RecurrenceBinding) throws -> any RecurrenceExecutor {
        try DefaultRecurrence(plan, binding, on: self)
    }
}

/// Runs a plan operation by operation through the backend's own functions: the
/// meaning of a plan, and what a backend without a faster way uses. A backend
/// with loops of its own still uses its prelude and epilogue.
public final class DefaultRecurrence: RecurrenceExecutor {
    public let plan: RecurrencePlan
    public let binding: RecurrenceBinding
    /// The plan's programs, compiled.
    public let kernels: [any Kernel]
    /// [1, 1]: read in place of absent buffers.
    public let zeros: MatrixView
    private let backend: any Backend

    public init(_ plan: RecurrencePlan, _ binding: RecurrenceBinding, on backend: any Backend) throws {
        self.plan = plan
        self.binding = binding
        self.backend = backend
        kernels = try plan.programs.map { try backend.compile($0) }
        zeros = try backend.allocate(rows: 1, columns: 1)
    }

    public func runPrelude() {
        for operation in plan.prelude { run(operation, at: nil) }
    }
    public func runEpilogue() {
        for operation in plan.epilogue { run(operation, at: nil) }
    }

    /// All T steps.
    public func runForwardLoop() {
        for t in 0..<binding.steps {
            for operation in plan.forwardLoop { run(operation, at: t) }
        }
    }
    /// All T steps, the last one first.
    public func runBackwardLoop() {
        precondition(plan.training, "the plan was compiled without a backward pass")
        for t in (0..<binding.steps).reversed() {
            for operation in plan.backwardLoop { run(operation, at: t) }
        }
    }

    public func forward() throws {
        runPrelude()
        runForwardLoop()
    }

    public func backward() throws {
        runBackwardLoop()
        runEpilogue()
    }

    /// - Parameter t: the step; nil outside the loops.
    private func run(_ operation: PlanOperation, at t: Int?) {
        switch operation {
        case .gemm(let a, let b, let result, let accumulate):
            guard let c = binding.view(result, in: plan, at: t) else { return }
            backend.gemm(
                alpha: 1, binding.view(a, in: plan, at: t)!, binding.view(b, in: plan, at: t)!,
                beta: accumulate ? 1 : 0, c)
        case .kernel(let program, let inputs, let outputs):
            let targets = outputs.compactMap { binding.view($0, in: plan, at: t) }
            guard targets.count == outputs.count else { return }
            let rows = targets[0].rows, columns = targets[0].columns
            let sources = inputs.map { operand in
                (binding.view(operand, in: plan, at: t) ?? zeros).broadcast(rows: rows, columns: columns)
            }
            backend.run(kernels[program], inputs: sources, outputs: targets)
        case .weightGradient(let delta, let operand, let result):
            backend.gemm(
                alpha: 1, binding.view(delta, in: plan, at: t)!.transposed, binding.view(operand, in: plan, at: t)!,
                beta: 1, binding.view(result, in: plan, at: t)!)
        case .vectorGradient(let delta, let result):
            backend.sumColumns(
                binding.view(delta, in: plan, at: t)!, beta: 1, into: binding.view(result, in: plan, at: t)!)
        }
    }
}

extension RecurrenceBinding {
    /// The matrix that `operand` names in step `t` (nil: over all T·B rows); nil
    /// if its buffer is absent.
    public func view(_ operand: PlanOperand, in plan: RecurrencePlan, at t: Int?) -> MatrixView? {
        guard var view = views[operand.buffer] else { return nil }
        switch plan.buffers[operand.buffer].role {
        case .parameter, .parameterGradient:
            view = view.rows(operand.rows!)
        case .scratch, .stateGradient:
            precondition(t != nil, "a buffer of one step outside the loop")
        case .states:
            let first = (t ?? 0) + operand.timeShift
            view = view.rows(first * batch..<(first + (t == nil ? steps : 1)) * batch)
        case .input, .inputGradient, .outputGradient, .mask, .perStep:
            if let t { view = view.rows(t * batch..<(t + 1) * batch) }
        }
        view = view.columns(operand.column..<operand.column + operand.columns)
        return operand.isTransposed ? view.transposed : view
    }
}

extension MatrixView {
    /// The view repeated along each dimension in which it has the length 1.
    public func broadcast(rows: Int, columns: Int) -> MatrixView {
        var result = self
        if self.rows != rows {
            precondition(self.rows == 1, "can't repeat \(self.rows) rows to \(rows)")
            (result.rows, result.rowStride) = (rows, 0)
        }
        if self.columns != columns {
            precondition(self.columns == 1, "can't repeat \(self.columns) columns to \(columns)")
            (result.columns, result.columnStride) = (columns, 0)
        }
        return result
    }
}
