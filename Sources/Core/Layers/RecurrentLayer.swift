/// One recurrent layer: from inputs [T·B, E] to outputs [T·B, O], forward and
/// backward through the compiled cell. The output is the cell's first state, or several of its states of width H.
///
///     let outputs = try layer.forward(x, steps: T, batch: B, options: .training)
///     … write the gradient of `outputs` into layer.outputGradient …
///     try layer.backward()
public final class RecurrentLayer {
    /// The options of a forward pass: which backward pass it prepares for.
    public struct Options: Hashable, Sendable {
        /// Whether the pass keeps what `backward` needs.
        public var isTraining: Bool
        /// Whether `backward` reads ``outputGradient``, and not only the final states' gradients.
        public var usesOutputGradient: Bool
        /// Whether `backward` writes ``inputGradient``.
        public var needsInputGradient: Bool
        /// Creates options; by default the backward pass uses and computes all gradients.
        public init(isTraining: Bool, usesOutputGradient: Bool = true, needsInputGradient: Bool = true) {
            self.isTraining = isTraining
            self.usesOutputGradient = usesOutputGradient
            self.needsInputGradient = needsInputGradient
        }
        /// The options of a forward pass whose backward pass reads and writes all gradients.
        public static let training = Options(isTraining: true)
        /// The options of a forward pass without a backward pass.
        public static let inference = Options(isTraining: false, usesOutputGradient: false, needsInputGradient: false)
    }

    /// The states before the first step.
    public enum InitialStates {
        /// All states are zero.
        case zeros
        /// The final states of the previous forward pass of the same kind (training or
        /// inference), as in truncated backpropagation through time.
        case carried
        /// The given states, one [B, H] matrix each.
        case given([MatrixView])
    }

    /// The equations of one step.
    public let cell: any RecurrentCell
    /// The width E of the inputs.
    public let inputWidth: Int
    /// The width H of the states.
    public let hiddenWidth: Int
    /// The width O of the output, ``RecurrentCell/outputCount`` · H.
    public var outputWidth: Int { cell.outputCount * hiddenWidth }
    private let backend: any Backend
    private let parameters: ParameterStore
    /// The store's numbers of the packed parameters, such as `rnn.weight_ih_l0`.
    public let parameterIndices: [Int]
    /// The cell's own parameters inside the packed ones.
    let layout: PackedLayout
    private let weightDropoutRate: Double
    let zoneoutRate: Double
    private var zoneout: ZoneoutMask?
    private var weightDropout: WeightDropout?
    private var weightMasks: WeightMasks??
    private var runs: [RunKey: RecurrentRun] = [:]
    private var current: RecurrentRun?
    /// The final states of a forward pass of another process, which the next pass carries over.
    private var restoredStates: [MatrixView]?

    /// Whether the cell can take tokens as input: it multiplies the vectors, and reads them in no other way.
    package let takesTokens: Bool

    private struct RunKey: Hashable {
        let isTraining: Bool
        let isMasked: Bool
        let readsTokens: Bool
    }

    /// Creates a layer and declares the cell's parameters as `NAME.weight_ih_lK` and so on,
    /// with K = `index`.
    ///
    /// `weightDropout` is the rate at which elements of the recurrent weights are zeroed for a
    /// batch, in training with a `maskKey`; `zoneout` is the rate at which units keep their old
    /// values in a step, in training with a `zoneoutKey`. Both are in 0..<1.
    ///
    /// - Throws: ``RecurrentError/cell(_:)`` if the cell's declarations or equations are wrong, or
    ///   ``RecurrentError/invalidOption(_:)`` if it needs an input and states of the same width and they differ.
    public init(
        _ cell: any RecurrentCell, name: String = "rnn", index: Int = 0, inputWidth: Int, hiddenWidth: Int,
        weightDropout: Double = 0, zoneout: Double = 0, parameters: ParameterStore, on backend: any Backend
    ) throws {
        precondition((0..<1).contains(weightDropout) && (0..<1).contains(zoneout))
        self.cell = cell
        weightDropoutRate = weightDropout
        zoneoutRate = zoneout
        self.inputWidth = inputWidth
        self.hiddenWidth = hiddenWidth
        self.backend = backend
        self.parameters = parameters
        // Mistakes of the cell are found now and not at the first step.
        let step = try TracedStep(cell, inputWidth: inputWidth, hiddenWidth: hiddenWidth)
        layout = step.layout
        takesTokens = !step.readsInputItself
        parameterIndices = Self.declare(layout, name: name, index: index, in: parameters)
    }

    /// Declares the packed parameters of a cell, and returns their numbers.
    static func declare(_ layout: PackedLayout, name: String, index: Int, in parameters: ParameterStore) -> [Int] {
        var indices: [Int] = []
        for packed in layout.packed {
            let number = parameters.declare(
                "\(name).\(packed.name)_l\(index)", rows: packed.rows, columns: packed.columns,
                isVector: packed.parts[0].parameter.isVector,
                isRecurrent: packed.parts[0].parameter.kind == .recurrentWeight)
            for block in packed.orthogonalBlocks {
                parameters.constrain(
                    number, rows: block.rows, name: "\(name).\(packed.name)_l\(index).\(block.name)", field: block.field
                )
            }
            if let mask = packed.parts[0].parameter.shape.mask(size: packed.columns) {
                parameters.mask(number, mask)
            }
            indices.append(number)
        }
        return indices
    }

    /// Returns a layer that shares the parameters but not the buffers and states.
    func twin() -> RecurrentLayer { RecurrentLayer(twinOf: self) }

    private init(twinOf other: RecurrentLayer) {
        cell = other.cell
        inputWidth = other.inputWidth
        hiddenWidth = other.hiddenWidth
        backend = other.backend
        parameters = other.parameters
        parameterIndices = other.parameterIndices
        layout = other.layout
        takesTokens = other.takesTokens
        weightDropoutRate = other.weightDropoutRate
        zoneoutRate = other.zoneoutRate
    }

    /// Computes the states after all steps.
    ///
    /// - Parameters:
    ///   - input: the inputs, [T·B, E]; they must keep their contents until `backward`.
    ///   - steps: the number T of steps.
    ///   - batch: the number B of sequences.
    ///   - initial: the states before the first step.
    ///   - lengths: the lengths of the B sequences, at whose ends the states stop changing;
    ///     nil if all are T.
    ///   - options: which backward pass to prepare for.
    ///   - maskKey: returns the random key of a parameter's mask, given its number in the
    ///     store; nil for no weight dropout.
    ///   - zoneoutKey: the random key of the units' masks; nil for no zoneout.
    /// - Returns: the output after each step, [T·B, O].
    /// - Throws: what the backend throws.
    public func forward(
        _ input: MatrixView, steps: Int, batch: Int, initial: InitialStates = .zeros, lengths: [Int]? = nil,
        options: Options, maskKey: ((Int) -> RandomKey)? = nil, zoneoutKey: RandomKey? = nil
    ) throws -> MatrixView {
        try forward(
            .vectors(input), steps: steps, batch: batch, initial: initial, lengths: lengths, options: options,
            maskKey: maskKey, zoneoutKey: zoneoutKey)
    }

    /// Computes the states after all steps, like the function above, for vectors or tokens. For tokens, `backward` adds to
    /// the gradient of their embedding instead of writing ``inputGradient``.
    package func forward(
        _ input: RecurrentInput, steps: Int, batch: Int, initial: InitialStates = .zeros, lengths: [Int]? = nil,
        options: Options, maskKey: ((Int) -> RandomKey)? = nil, zoneoutKey: RandomKey? = nil
    ) throws -> MatrixView {
        precondition(input.count == steps * batch && input.width == inputWidth && steps > 0 && batch > 0)
        let readsTokens = if case .tokens = input { true } else { false }
        let key = RunKey(isTraining: options.isTraining, isMasked: lengths != nil, readsTokens: readsTokens)
        let dropout = try options.isTraining ? preparedWeightDropout() : nil
        let run: RecurrentRun
        if let known = runs[key] {
            run = known
        } else {
            run = try makeRun(key, substitutes: dropout?.substitutes ?? [:])
            runs[key] = run
        }
        // States also carry over between masked and unmasked batches.
        if case .carried = initial, let current, current !== run, current.plan.training == options.isTraining {
            try run.adopt(current)
        }
        try run.bind(input: input, steps: steps, batch: batch, options: options)
        if case .carried = initial, let restoredStates {
            run.setInitialStates(.given(restoredStates))
        } else {
            run.setInitialStates(initial)
        }
        restoredStates = nil
        if options.isTraining, zoneoutRate > 0, zoneout == nil {
            zoneout = try ZoneoutMask(rate: zoneoutRate, on: backend)
        }
        try run.setMask(lengths: lengths, zoneout: options.isTraining ? zoneout : nil, key: zoneoutKey)
        current = run
        try dropout?.prepare(maskKey)
        try run.forward()
        if options.isTraining { run.clearFinalGradients() }
        return run.outputs
    }

    private func preparedWeightDropout() throws -> WeightDropout? {
        if weightDropout == nil, weightDropoutRate > 0 {
            let weights = zip(layout.packed, parameterIndices).enumerated().filter {
                $1.0.parts[0].parameter.kind == .recurrentWeight
            }.map { (number: $0, parameter: $1.1) }
            weightDropout = try WeightDropout(
                rate: weightDropoutRate, weights: weights, parameters: parameters, on: backend)
        }
        return weightDropout
    }

    private func makeRun(_ key: RunKey, substitutes: [Int: WeightDropout.Substitute]) throws -> RecurrentRun {
        RecurrentRun(
            try plan(
                training: key.isTraining, masked: key.isMasked,
                zoneout: key.isTraining ? .random : .expected(rate: zoneoutRate), tokens: key.readsTokens),
            parameters: parameters, indices: parameterIndices, substitutes: substitutes, on: backend)
    }

    /// Compiles the cell to a plan, by default with a backward pass; zoneout is at its
    /// expectation.
    ///
    /// - Throws: what ``StepCompiler`` throws.
    public func plan(training: Bool = true, masked: Bool = false) throws -> RecurrencePlan {
        try plan(training: training, masked: masked, zoneout: .expected(rate: zoneoutRate))
    }

    private func plan(
        training: Bool, masked: Bool, zoneout: Zoneout, tokens: Bool = false
    ) throws -> RecurrencePlan {
        try StepCompiler.compile(
            cell, inputWidth: inputWidth, hiddenWidth: hiddenWidth, training: training, masked: masked,
            zoneout: zoneoutRate > 0 ? zoneout : nil, tokens: tokens)
    }

    /// The run of the last forward pass.
    private var run: RecurrentRun {
        guard let current else { preconditionFailure("a layer has nothing to show before its first forward pass") }
        return current
    }

    /// Returns state `index` after each step of the last forward pass, [T·B, H]; its rows lie further apart if it is part
    /// of an output of several states.
    public func states(_ index: Int) -> MatrixView { run.allStates(index) }
    /// The output after the last step of the last forward pass, [B, O].
    public var finalOutput: MatrixView { run.finalOutput }
    /// Returns state `index` after the last step of the last forward pass, [B, H].
    public func finalState(_ index: Int) -> MatrixView { run.finalState(index) }
    /// The inputs of the last forward pass.
    var input: RecurrentInput { run.input }

    /// Makes the next forward pass, if it carries states over, start from `states`: one
    /// [B, H] matrix per state.
    func restoreStates(_ states: [MatrixView]) { restoredStates = states }
    /// The states before the first step of the last forward pass, [B, H] each.
    var initialStates: [MatrixView]? { current.map { run in (0..<stateCount).map(run.initialState) } }
    /// The number B of sequences in the last forward pass.
    var batchSize: Int? { current?.batchSize }
    var stateCount: Int { cell.stateNames.count }

    /// The gradient of the output after each step, [T·B, O]; fill it before `backward`
    /// if the options say that it is used.
    public var outputGradient: MatrixView { run.view(.outputGradient) }
    /// The gradient of the output after the last step, [B, O]: ``stateGradient(_:)`` of the states that it consists of.
    public var finalOutputGradient: MatrixView { run.finalOutputGradient }
    /// Returns the gradient of state `index`, [B, H]: that of the final state, zeros after
    /// `forward` and to be filled before `backward`; after it, that of the initial state.
    public func stateGradient(_ index: Int) -> MatrixView { run.view(.stateGradient(index: index)) }
    /// The gradient of the inputs, [T·B, E], after `backward`, if the options asked for it.
    public var inputGradient: MatrixView { run.view(.inputGradient) }

    /// Adds the parameters' gradients, and computes those of the input and the
    /// initial states.
    ///
    /// - Throws: what the backend throws.
    public func backward() throws {
        precondition(run.plan.training, "backward needs a forward pass with isTraining")
        try run.backward()
        weightDropout?.finish()
        try masks()?.clearGradients()
    }

    /// Sets the elements that weights don't have to zero, as those above the diagonal of a triangular one
    /// (``CellParameter/Shape``), after all elements were written.
    ///
    /// - Throws: what the backend throws.
    public func clearAbsentElements() throws { try masks()?.clearValues() }

    private func masks() throws -> WeightMasks? {
        if let weightMasks { return weightMasks }
        let made = try WeightMasks(parameterIndices, parameters: parameters, on: backend)
        weightMasks = .some(made)
        return made
    }
}
