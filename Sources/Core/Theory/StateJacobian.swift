/// The exact Jacobians `∂s_t/∂s_{t−1}` of one recurrent layer, for several sequences at once.
///
/// The compiled step runs forward and backward over one time step, with each sequence
/// repeated n = S·H times (S states of width H), and a one-hot gradient of the new
/// states in each repetition: row i of a sequence's block is row i of its Jacobian.
/// This needs nothing from a cell or a backend but the plan.
final class StateJacobian {
    /// The width n = S·H of a Jacobian.
    let width: Int
    private let sequences: Int
    private let states: Int
    private let hidden: Int
    private let backend: any Backend
    private let run: RecurrentRun
    private let input: MatrixView
    /// The states before and after the step, [2 · rows, H] each.
    private let stateViews: [MatrixView]
    private let gradients: [MatrixView]
    /// The one-hot gradients of all rows, one matrix per state.
    private let seeds: [MatrixView]
    private let rows: any IndexMemory
    private var rowNumbers: [Int32]
    /// The Jacobians, [sequences · n, n], if the cell has several states; with one state, its
    /// gradients already are the Jacobians.
    private let joined: MatrixView?

    init(_ layer: RecurrentLayer, parameters: ParameterStore, sequences: Int, on backend: any Backend) throws {
        // Only the step itself, without the gradients of weights.
        let full = try layer.plan(training: true)
        let plan = RecurrencePlan(
            cellName: full.cellName, inputWidth: full.inputWidth, readsTokens: false,
            hiddenWidth: full.hiddenWidth, stateCount: full.stateCount, outputCount: full.outputCount, masked: false,
            training: true, buffers: full.buffers, parameters: full.parameters, programs: full.programs,
            prelude: full.prelude,
            forwardLoop: full.forwardLoop, backwardLoop: full.backwardLoop, epilogue: [])
        let n = plan.stateCount * plan.hiddenWidth, count = sequences * n
        self.backend = backend
        self.sequences = sequences
        (states, hidden, width) = (plan.stateCount, plan.hiddenWidth, n)
        input = try backend.allocate(rows: count, columns: plan.inputWidth)
        // The model's weights without dropout, and separate gradients, so that the model's
        // aren't touched.
        var substitutes: [Int: WeightDropout.Substitute] = [:]
        for (number, shape) in plan.parameters.enumerated() {
            substitutes[number] = WeightDropout.Substitute(
                value: parameters.value(layer.parameterIndices[number]),
                gradient: try backend.allocate(rows: shape.rows, columns: shape.columns))
        }
        let run = RecurrentRun(
            plan, parameters: parameters, indices: layer.parameterIndices, substitutes: substitutes, on: backend)
        try run.bind(
            input: .vectors(input), steps: 1, batch: count,
            options: .init(isTraining: true, usesOutputGradient: false, needsInputGradient: false))
        self.run = run
        stateViews = (0..<plan.stateCount).map { run.view(.states(index: $0)) }
        gradients = (0..<plan.stateCount).map { run.view(.stateGradient(index: $0)) }
        let hidden = plan.hiddenWidth
        seeds = try (0..<plan.stateCount).map { state in
            var values = [Float](repeating: 0, count: count * hidden)
            for row in 0..<count where row % n / hidden == state { values[row * hidden + row % hidden] = 1 }
            return try backend.makeMatrix(values, rows: count, columns: hidden)
        }
        rowNumbers = [Int32](repeating: 0, count: count)
        rows = try backend.makeIndices(rowNumbers)
        joined = plan.stateCount > 1 ? try backend.allocate(rows: count, columns: n) : nil
    }

    /// Computes the Jacobians of one step, one for each sequence.
    ///
    /// - Parameters:
    ///   - inputs: the inputs of all steps, [T·B, E].
    ///   - inputRows: the row of each sequence's input of this step.
    ///   - before: the states, one [R, H] matrix each.
    ///   - stateRows: the row of each sequence's state before this step.
    /// - Returns: the Jacobians, [sequences · n, n], valid until the next call.
    func compute(
        inputs: MatrixView, inputRows: [Int], before: [MatrixView], stateRows: [Int]
    ) throws -> MatrixView {
        precondition(inputRows.count == sequences && stateRows.count == sequences && before.count == states)
        repeatRows(inputs, inputRows, into: input)
        for (source, view) in zip(before, stateViews) {
            repeatRows(source, stateRows, into: view.rows(0..<sequences * width))
        }
        try run.forward()
        for (seed, gradient) in zip(seeds, gradients) { backend.copy(seed, to: gradient) }
        try run.backward()
        guard let joined else { return gradients[0] }
        for (state, gradient) in gradients.enumerated() {
            backend.copy(gradient, to: joined.columns(state * hidden..<(state + 1) * hidden))
        }
        return joined
    }

    private func repeatRows(_ source: MatrixView, _ numbers: [Int], into destination: MatrixView) {
        for row in rowNumbers.indices { rowNumbers[row] = Int32(numbers[row / width]) }
        backend.update(rows, with: rowNumbers)
        backend.gatherRows(source, rows, into: destination)
    }
}
