/// One step of a recurrent layer for inference, prepared once for all sessions: the compiled cell with its weights
/// packed, and for tokens the products of every row of the embedding with the input's weights.
struct StepProgram: Sendable {
    /// One operation of a step; operands name buffers of ``plan``.
    enum Operation: Sendable {
        /// `target ← source · matrix`.
        case product(source: PlanOperand, matrix: any PreparedMatrix, target: PlanOperand)
        /// Copies the row of a token to `target`.
        case lookup(table: MatrixView, target: PlanOperand)
        /// A pointwise program.
        case kernel(any Kernel, inputs: [PlanOperand], outputs: [PlanOperand])
    }

    let plan: RecurrencePlan
    let operations: [Operation]
    /// The values of the plan's packed parameters.
    let parameters: [MatrixView]
    /// The derived vectors, [1, columns]; nil if the plan has none.
    let derivedVectors: MatrixView?
    /// Whether an operation reads the input itself, and not only products that are looked up.
    let readsInput: Bool

    /// The largest number of elements of a table of products; larger ones would take more memory than they save time.
    static let largestTable = 1 << 27

    /// Compiles a layer.
    ///
    /// - Parameters:
    ///   - layer: the layer, whose parameters have their final values.
    ///   - table: the embedding [V, E] whose rows are the layer's inputs; nil for other inputs.
    ///   - store: the parameters.
    ///   - backend: the backend that holds them.
    init(_ layer: RecurrentLayer, inputsFrom table: MatrixView?, _ store: ParameterStore, on backend: any Backend)
        throws
    {
        let plan = try layer.plan(training: false)
        let values = layer.parameterIndices.map(store.value)
        self.plan = plan
        parameters = values
        let kernels = try plan.programs.map { try backend.compile($0) }
        var reads = false
        func isInput(_ operand: PlanOperand) -> Bool { plan.buffers[operand.buffer].role == .input }
        let derived = try plan.buffers.first { $0.role == .derivedVectors }.map {
            try backend.allocate(rows: 1, columns: $0.columns)
        }
        derivedVectors = derived
        // What depends on vectors alone is computed here.
        func vector(_ operand: PlanOperand) -> MatrixView {
            let columns = operand.column..<operand.column + operand.columns
            guard case .parameter(let number) = plan.buffers[operand.buffer].role else {
                return derived!.columns(columns)
            }
            return values[number].rows(operand.rows!).columns(columns)
        }
        func isDerivation(_ operation: PlanOperation) -> Bool {
            guard case .kernel(_, _, let outputs) = operation else { return false }
            return plan.buffers[outputs[0].buffer].role == .derivedVectors
        }
        for case .kernel(let program, let inputs, let outputs) in plan.prelude.filter(isDerivation) {
            backend.run(kernels[program], inputs: inputs.map(vector), outputs: outputs.map(vector))
        }
        operations = try (plan.prelude.filter { !isDerivation($0) } + plan.forwardLoop).map { operation in
            switch operation {
            case .gemm(let source, let weight, let target, let accumulates):
                precondition(!accumulates, "a forward pass adds nothing up")
                guard case .parameter(let number) = plan.buffers[weight.buffer].role else {
                    preconditionFailure("a product's right operand is a parameter")
                }
                var view = values[number].rows(weight.rows!).columns(weight.column..<weight.column + weight.columns)
                if weight.isTransposed { view = view.transposed }
                if let table, isInput(source), table.rows * view.columns <= Self.largestTable {
                    let products = try backend.allocate(rows: table.rows, columns: view.columns)
                    backend.gemm(table.columns(source.column..<source.column + source.columns), view, into: products)
                    return .lookup(table: products, target: target)
                }
                reads = reads || isInput(source)
                return .product(source: source, matrix: try backend.prepare(view), target: target)
            case .kernel(let program, let inputs, let outputs):
                reads = reads || inputs.contains(where: isInput)
                return .kernel(kernels[program], inputs: inputs, outputs: outputs)
            case .lookup, .tokenSum, .weightGradient, .vectorGradient:
                preconditionFailure("a plan of one step has no gradients, and its own lookup")
            }
        }
        readsInput = reads
    }
}
