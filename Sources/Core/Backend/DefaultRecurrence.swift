extension Backend {
    public func makeRecurrence(_ plan: RecurrencePlan, _ binding: RecurrenceBinding) throws -> any RecurrenceExecutor {
        try DefaultRecurrence(plan, binding, on: self)
    }
}

/// An executor that runs a plan operation by operation through the backend's own
/// functions: it defines what a plan means, and backends without a faster
/// implementation use it. A backend with its own loops still uses this prelude and
/// epilogue.
public final class DefaultRecurrence: RecurrenceExecutor {
    /// The plan that is run.
    public let plan: RecurrencePlan
    /// The memory behind the plan's buffers.
    public let binding: RecurrenceBinding
    /// The plan's compiled programs, in its order.
    public let kernels: [any Kernel]
    /// A zero, [1, 1], that is read in place of absent buffers.
    public let zeros: MatrixView
    /// The addition of two values, and the room for a sum that is added to several vectors; nil where there is none.
    private let add: (any Kernel)?, sums: MatrixView?
    private let backend: any Backend

    /// Compiles the plan's programs and binds it to its buffers.
    ///
    /// - Throws: what the backend throws if there is no memory or a program can't be compiled.
    public init(_ plan: RecurrencePlan, _ binding: RecurrenceBinding, on backend: any Backend) throws {
        self.plan = plan
        self.binding = binding
        self.backend = backend
        kernels = try plan.programs.map { try backend.compile($0) }
        zeros = try backend.allocate(rows: 1, columns: 1)
        let width =
            plan.epilogue.map {
                if case .vectorGradient(let delta, let results) = $0, results.count > 1 { delta.columns } else { 0 }
            }.max() ?? 0
        sums = width > 0 ? try backend.allocate(rows: 1, columns: width) : nil
        add = try sums.map { _ in try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [x[0] + x[1]] }) }
    }

    /// Runs the operations before the forward loop, over all T·B rows.
    ///
    /// - Parameter isIncluded: whether to run an operation; a backend may run some of them in its loop.
    public func runPrelude(where isIncluded: (PlanOperation) -> Bool = { _ in true }) {
        for operation in plan.prelude where isIncluded(operation) { run(operation, at: nil) }
    }
    /// Runs the operations after the backward loop, over all T·B rows.
    ///
    /// - Parameter isIncluded: whether to run an operation; a backend may run some of them in its loop.
    public func runEpilogue(where isIncluded: (PlanOperation) -> Bool = { _ in true }) {
        for operation in plan.epilogue where isIncluded(operation) { run(operation, at: nil) }
    }

    /// Runs all T steps.
    public func runForwardLoop() {
        for t in 0..<binding.steps {
            for operation in plan.forwardLoop { run(operation, at: t) }
        }
    }
    /// Runs all T steps backwards, from the last one to the first.
    ///
    /// - Precondition: the plan was compiled for training.
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

    private var tokens: any IndexMemory {
        guard let tokens = binding.tokens else { preconditionFailure("a plan for tokens is bound to none") }
        return tokens
    }

    /// Runs one operation.
    ///
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
        case .lookup(let table, let result):
            backend.gatherRows(
                binding.view(table, in: plan, at: t)!, tokens, into: binding.view(result, in: plan, at: t)!)
        case .tokenSum(let delta, let table):
            let sums = binding.view(table, in: plan, at: t)!
            backend.fill(sums, with: 0)
            backend.scatterAddRows(binding.view(delta, in: plan, at: t)!, tokens, into: sums)
        case .weightGradient(let delta, let operand, let result):
            backend.gemm(
                alpha: 1, binding.view(delta, in: plan, at: t)!.transposed, binding.view(operand, in: plan, at: t)!,
                beta: 1, binding.view(result, in: plan, at: t)!)
        case .vectorGradient(let delta, let results):
            let rows = binding.view(delta, in: plan, at: t)!
            let targets = results.map { binding.view($0, in: plan, at: t)! }
            let isDerived = plan.buffers[results[0].buffer].role == .derivedVectors
            guard targets.count > 1 else { return backend.sumColumns(rows, beta: isDerived ? 0 : 1, into: targets[0]) }
            let sum = sums!.columns(0..<delta.columns)
            backend.sumColumns(rows, beta: 0, into: sum)
            for target in targets {
                if isDerived {
                    backend.copy(sum, to: target)
                } else {
                    backend.run(add!, inputs: [target, sum], outputs: [target])
                }
            }
        }
    }
}

extension RecurrenceBinding {
    /// Returns the matrix that `operand` names in step `t`, or over all T·B rows if `t` is
    /// nil; nil if its buffer is absent.
    public func view(_ operand: PlanOperand, in plan: RecurrencePlan, at t: Int?) -> MatrixView? {
        guard var view = views[operand.buffer] else { return nil }
        switch plan.buffers[operand.buffer].role {
        case .parameter, .parameterGradient:
            view = view.rows(operand.rows!)
        case .derivedVectors, .embedding, .embeddingGradient, .perToken: break
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
    /// Returns the view repeated to this shape along each dimension in which its length is 1.
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
