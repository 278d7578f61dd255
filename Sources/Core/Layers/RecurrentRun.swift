/// A plan with its buffers, which are reused from batch to batch and bound again when
/// a shape changes.
final class RecurrentRun {
    let plan: RecurrencePlan
    private let backend: any Backend
    private let parameters: ParameterStore
    private let parameterIndices: [Int]
    /// The masked copies that replace some parameters in training.
    private let substitutes: [Int: WeightDropout.Substitute]
    private var memories: [Scratch]
    private let sequenceMask: Scratch
    private var bound: Bound?
    /// The initial states of the next batch, [B, H] each, where they carry over but the
    /// buffers no longer hold them as final states.
    private var carried: [MatrixView] = []
    /// Whether the buffers still hold the final states of the previous batch.
    private var holdsFinalStates = false

    /// The buffers that the plan is bound to, and the executor that runs it on them.
    private struct Bound {
        let key: Key
        let input: RecurrentInput
        let binding: RecurrenceBinding
        let executor: any RecurrenceExecutor
    }

    /// What a binding depends on; a pass with an equal key reuses it.
    private struct Key: Equatable {
        var steps: Int
        var batch: Int
        var options: RecurrentLayer.Options
        var input: RecurrentInput.Identity
    }

    init(
        _ plan: RecurrencePlan, parameters: ParameterStore, indices: [Int],
        substitutes: [Int: WeightDropout.Substitute],
        on backend: any Backend
    ) {
        self.substitutes = substitutes
        self.plan = plan
        self.parameters = parameters
        self.backend = backend
        parameterIndices = indices
        sequenceMask = Scratch(backend)
        memories = plan.buffers.map { _ in Scratch(backend) }
    }

    func bind(input: RecurrentInput, steps: Int, batch: Int, options: RecurrentLayer.Options) throws {
        let wanted = Key(steps: steps, batch: batch, options: options, input: input.identity)
        holdsFinalStates = wanted == bound?.key
        guard !holdsFinalStates else { return }
        if bound != nil { try keepFinalStates() }
        let vectors: MatrixView?, tokens: EmbeddedTokens?
        switch input {
        case .vectors(let given): (vectors, tokens) = (given, nil)
        case .tokens(let given): (vectors, tokens) = (nil, given)
        }
        precondition(plan.readsTokens == (tokens != nil))
        var views: [MatrixView?] = []
        for (index, buffer) in plan.buffers.enumerated() {
            let rows: Int
            switch buffer.role {
            case .input, .embedding:
                views.append(vectors ?? tokens?.table)
                continue
            case .embeddingGradient:
                views.append(options.needsInputGradient ? tokens?.gradient : nil)
                continue
            case .parameter(let number):
                views.append(substitutes[number]?.value ?? parameters.value(parameterIndices[number]))
                continue
            case .parameterGradient(let number):
                views.append(substitutes[number]?.gradient ?? parameters.gradient(parameterIndices[number]))
                continue
            case .inputGradient where !options.needsInputGradient:
                views.append(nil)
                continue
            case .outputGradient where !options.usesOutputGradient:
                views.append(nil)
                continue
            case .states: rows = (steps + 1) * batch
            case .derivedVectors: rows = 1
            case .perToken: rows = tokens?.table.rows ?? 0
            case .stateGradient, .scratch: rows = batch
            case .inputGradient, .outputGradient, .mask, .perStep: rows = steps * batch
            }
            views.append(try memory(for: index, buffer, rows: rows))
        }
        let binding = RecurrenceBinding(steps: steps, batch: batch, views: views, tokens: tokens?.indices)
        let executor = try backend.makeRecurrence(plan, binding)
        bound = Bound(key: wanted, input: input, binding: binding, executor: executor)
    }

    /// Returns memory for a buffer. States that are the output together are columns of one matrix, which is the memory of
    /// the first of them; so are their gradients.
    private func memory(for index: Int, _ buffer: PlanBuffer, rows: Int) throws -> MatrixView {
        let (state, first): (Int, PlanBuffer.Role)
        switch buffer.role {
        case .states(let number): (state, first) = (number, .states(index: 0))
        case .stateGradient(let number): (state, first) = (number, .stateGradient(index: 0))
        default: return try memories[index].view(rows: rows, columns: buffer.columns)
        }
        guard state < plan.outputCount else { return try memories[index].view(rows: rows, columns: buffer.columns) }
        let memory = memories[plan.buffers.firstIndex { $0.role == first }!]
        return try memory.view(rows: rows, columns: plan.outputWidth).columns(
            state * buffer.columns..<(state + 1) * buffer.columns)
    }

    private var present: Bound {
        guard let bound else { preconditionFailure("a run is bound before it is used") }
        return bound
    }

    /// Computes all states from the initial ones.
    func forward() throws { try present.executor.forward() }
    /// Computes the gradients after `forward`, if the plan is for training.
    func backward() throws { try present.executor.backward() }

    /// Returns the buffer for a role; nil if the plan has none, or if the options left it out.
    func optionalView(_ role: PlanBuffer.Role) -> MatrixView? {
        let views = present.binding.views
        return plan.buffers.firstIndex { $0.role == role }.flatMap { views[$0] }
    }
    /// Returns the buffer for a role, which this pass must have.
    func view(_ role: PlanBuffer.Role) -> MatrixView {
        guard let view = optionalView(role) else { preconditionFailure("this pass has no buffer for its \(role)") }
        return view
    }

    private func stateBlock(_ index: Int, _ block: Int) -> MatrixView {
        view(.states(index: index)).rows(block * batchSize..<(block + 1) * batchSize)
    }
    func initialState(_ index: Int) -> MatrixView { stateBlock(index, 0) }
    func finalState(_ index: Int) -> MatrixView { stateBlock(index, steps) }
    func allStates(_ index: Int) -> MatrixView {
        let view = view(.states(index: index))
        return view.rows(batchSize..<view.rows)
    }
    var input: RecurrentInput { present.input }
    /// The output after each step, [T·B, O].
    var outputs: MatrixView { output(from: allStates(0)) }
    /// The output after the last step, [B, O].
    var finalOutput: MatrixView { output(from: finalState(0)) }
    /// The gradients of the final states that are the output, [B, O].
    var finalOutputGradient: MatrixView { output(from: view(.stateGradient(index: 0))) }

    /// Returns the matrix of which the first state's are the first columns.
    private func output(from first: MatrixView) -> MatrixView {
        var whole = first
        whole.columns = plan.outputWidth
        return whole
    }
    var batchSize: Int { present.binding.batch }
    private var steps: Int { present.binding.steps }

    /// Copies the final states, whose buffers are about to be replaced.
    private func keepFinalStates() throws {
        if carried.first?.rows != batchSize {
            carried = try (0..<plan.stateCount).map { _ in
                try backend.allocate(rows: batchSize, columns: plan.hiddenWidth)
            }
        }
        for index in 0..<plan.stateCount { backend.copy(finalState(index), to: carried[index]) }
    }

    /// Takes over the final states of another plan's run as the initial states of the next pass.
    func adopt(_ other: RecurrentRun) throws {
        try other.keepFinalStates()
        carried = other.carried
        bound = nil
    }

    func setInitialStates(_ initial: RecurrentLayer.InitialStates) {
        for index in 0..<plan.stateCount {
            let block = stateBlock(index, 0)
            switch initial {
            case .zeros: backend.fill(block, with: 0)
            case .carried where holdsFinalStates: backend.copy(finalState(index), to: block)
            case .carried:
                precondition(carried.first?.rows == block.rows, "no states of this batch size to carry on from")
                backend.copy(carried[index], to: block)
            case .given(let states):
                backend.copy(states[index], to: block)
            }
        }
    }

    /// Fills the mask if the plan has one.
    ///
    /// - Parameters:
    ///   - lengths: the lengths of the sequences; nil if all are T.
    ///   - zoneout: draws which units keep their values; nil for none.
    ///   - key: the random key of this batch's mask; nil to keep no values.
    func setMask(lengths: [Int]?, zoneout: ZoneoutMask?, key: RandomKey?) throws {
        guard let zoneout else {
            if let lengths { setLengths(lengths, in: view(.mask)) }
            return
        }
        let mask = view(.mask), lasting = try sequenceMask.view(rows: lengths == nil ? 1 : mask.rows, columns: 1)
        if let lengths { setLengths(lengths, in: lasting) } else { backend.fill(lasting, with: 1) }
        zoneout.fill(mask, lasting: lasting, key: key)
    }

    private func setLengths(_ lengths: [Int], in view: MatrixView) {
        let (steps, batch) = (steps, batchSize)
        precondition(lengths.count == batch)
        var mask = [Float](repeating: 0, count: steps * batch)
        for (column, length) in lengths.enumerated() {
            precondition((0...steps).contains(length), "a length outside 0...\(steps)")
            for t in 0..<length { mask[t * batch + column] = 1 }
        }
        backend.upload(mask, to: view)
    }

    func clearFinalGradients() {
        for index in 0..<plan.stateCount { backend.fill(view(.stateGradient(index: index)), with: 0) }
    }
}
