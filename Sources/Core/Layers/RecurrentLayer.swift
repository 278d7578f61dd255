/// One recurrent layer: inputs [T·B, E] to all states [T·B, H], forward and
/// backward through the compiled cell.
///
///     let outputs = try layer.forward(x, steps: T, batch: B, options: .training)
///     … write the gradient of `outputs` into layer.outputGradient …
///     try layer.backward()
public final class RecurrentLayer {
    /// What a forward pass must prepare for.
    public struct Options: Hashable, Sendable {
        /// Keep what `backward` needs.
        public var isTraining: Bool
        /// `backward` reads ``outputGradient``; else only the final states' gradients.
        public var usesOutputGradient: Bool
        /// `backward` writes ``inputGradient``.
        public var needsInputGradient: Bool
        /// By default everything is wanted that training needs.
        public init(isTraining: Bool, usesOutputGradient: Bool = true, needsInputGradient: Bool = true) {
            self.isTraining = isTraining
            self.usesOutputGradient = usesOutputGradient
            self.needsInputGradient = needsInputGradient
        }
        /// For a pass whose backward pass reads and writes all gradients.
        public static let training = Options(isTraining: true)
        /// For a pass that nothing goes back through.
        public static let inference = Options(isTraining: false, usesOutputGradient: false, needsInputGradient: false)
    }

    /// The states before the first step.
    public enum InitialStates {
        case zeros
        /// The final states of the forward pass before (of the same kind,
        /// training or inference): truncated backpropagation through time.
        case carried
        /// One [B, H] matrix per state.
        case given([MatrixView])
    }

    /// The equations of one step.
    public let cell: any RecurrentCell
    /// E.
    public let inputWidth: Int
    /// H.
    public let hiddenWidth: Int
    private let backend: any Backend
    private let parameters: ParameterStore
    /// The store's numbers of the packed parameters.
    let parameterIndices: [Int]
    /// The cell's own parameters inside the packed ones.
    let layout: PackedLayout
    private let weightDropoutRate: Double
    let zoneoutRate: Double
    private var zoneout: ZoneoutMask?
    private var weightDropout: WeightDropout?
    private var runs: [RunKey: RecurrentRun] = [:]
    private var current: RecurrentRun?
    /// Stands in for the final states of a forward pass that another process made.
    private var restoredStates: [MatrixView]?

    private struct RunKey: Hashable {
        let isTraining: Bool
        let isMasked: Bool
    }

    /// Declares the cell's parameters as `NAME.weight_ih_lK`, …. `weightDropout` is
    /// the rate at which elements of the recurrent weights are zeroed for a batch, in
    /// training with a `maskKey`; `zoneout` that at which units keep their old values
    /// in a step, in training with a `zoneoutKey`.
    public init(
        _ cell: any RecurrentCell, name: String = "rnn", index: Int = 0, inputWidth: Int, hiddenWidth: Int,
        weightDropout: Double = 0, zoneout: Double = 0, parameters: ParameterStore, on backend: any Backend
    ) {
        precondition((0..<1).contains(weightDropout) && (0..<1).contains(zoneout))
        self.cell = cell
        weightDropoutRate = weightDropout
        zoneoutRate = zoneout
        self.inputWidth = inputWidth
        self.hiddenWidth = hiddenWidth
        self.backend = backend
        self.parameters = parameters
        let layout = PackedLayout(cell.parameters, inputWidth: inputWidth, hiddenWidth: hiddenWidth)
        self.layout = layout
        var indices: [Int] = []
        for packed in layout.packed {
            let isVector = packed.parts.allSatisfy { ![.inputWeight, .recurrentWeight].contains($0.parameter.kind) }
            let number = parameters.declare(
                "\(name).\(packed.name)_l\(index)", rows: packed.rows, columns: packed.columns, isVector: isVector,
                isRecurrent: packed.parts[0].parameter.kind == .recurrentWeight)
            for part in packed.parts where part.parameter.constraint == .orthogonal {
                parameters.constrain(
                    number, rows: part.start..<part.start + part.count,
                    name: "\(name).\(packed.name)_l\(index).\(part.parameter.name)")
            }
            indices.append(number)
        }
        parameterIndices = indices
    }

    /// The same layer with the same parameters, for passes of its own: its buffers and states
    /// are others.
    func twin() -> RecurrentLayer { RecurrentLayer(twinOf: self) }

    private init(twinOf other: RecurrentLayer) {
        cell = other.cell
        inputWidth = other.inputWidth
        hiddenWidth = other.hiddenWidth
        backend = other.backend
        parameters = other.parameters
        parameterIndices = other.parameterIndices
        layout = other.layout
        weightDropoutRate = other.weightDropoutRate
        zoneoutRate = other.zoneoutRate
    }

    /// - Parameters:
    ///   - input: [T·B, E]; must keep its contents until `backward`.
    ///   - steps: T.
    ///   - batch: B.
    ///   - initial: the states before the first step.
    ///   - lengths: of the B sequences; a state stops changing at its end.
    ///   - options: what `backward` will be asked for.
    ///   - maskKey: the random key of a parameter's mask, by its number in the store;
    ///     nil for no weight dropout.
    ///   - zoneoutKey: of the units' masks; nil for no zoneout.
    /// - Returns: [T·B, H], the first state after each step.
    public func forward(
        _ input: MatrixView, steps: Int, batch: Int, initial: InitialStates = .zeros, lengths: [Int]? = nil,
        options: Options, maskKey: ((Int) -> RandomKey)? = nil, zoneoutKey: RandomKey? = nil
    ) throws -> MatrixView {
        precondition(input.rows == steps * batch && input.columns == inputWidth && steps > 0 && batch > 0)
        let key = RunKey(isTraining: options.isTraining, isMasked: lengths != nil)
        let dropout = try options.isTraining ? preparedWeightDropout() : nil
        let run: RecurrentRun
        if let known = runs[key] {
            run = known
        } else {
            run = try makeRun(
                training: options.isTraining, masked: lengths != nil, substitutes: dropout?.substitutes ?? [:])
            runs[key] = run
        }
        // States carry over between masked and unmasked batches too.
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

    private func makeRun(
        training: Bool, masked: Bool, substitutes: [Int: WeightDropout.Substitute]
    ) throws -> RecurrentRun {
        RecurrentRun(
            try plan(training: training, masked: masked, zoneout: training ? .random : .expected(rate: zoneoutRate)),
            parameters: parameters, indices: parameterIndices, substitutes: substitutes, on: backend)
    }

    /// What the compiler made of the cell: by default with a backward pass, and with
    /// zoneout at its expectation.
    public func plan(training: Bool = true, masked: Bool = false) throws -> RecurrencePlan {
        try plan(training: training, masked: masked, zoneout: .expected(rate: zoneoutRate))
    }

    private func plan(training: Bool, masked: Bool, zoneout: Zoneout) throws -> RecurrencePlan {
        try StepCompiler.compile(
            cell, inputWidth: inputWidth, hiddenWidth: hiddenWidth, training: training, masked: masked,
            zoneout: zoneoutRate > 0 ? zoneout : nil)
    }

    /// That of the last forward pass.
    private var run: RecurrentRun {
        guard let current else { preconditionFailure("a layer has nothing to show before its first forward pass") }
        return current
    }

    /// All states `index` after each step, [T·B, H], of the last forward pass.
    public func states(_ index: Int) -> MatrixView { run.allStates(index) }
    /// State `index` after the last step, [B, H].
    public func finalState(_ index: Int) -> MatrixView { run.finalState(index) }
    /// What the last forward pass read, [T·B, E].
    var input: MatrixView { run.input }

    /// The next forward pass, if it carries states over, starts from these: one
    /// [B, H] matrix per state.
    func restoreStates(_ states: [MatrixView]) { restoredStates = states }
    /// What the last forward pass started from, [B, H] each.
    var initialStates: [MatrixView]? { current.map { run in (0..<stateCount).map(run.initialState) } }
    /// B of the last forward pass.
    var batchSize: Int? { current?.batchSize }
    var stateCount: Int { cell.stateNames.count }

    /// [T·B, H]: to be filled before `backward`, if the options say it is used.
    public var outputGradient: MatrixView { run.view(.outputGradient) }
    /// [B, H]: zeros after `forward`; fill it before `backward`. Afterwards it
    /// holds the gradient of the initial state.
    public func stateGradient(_ index: Int) -> MatrixView { run.view(.stateGradient(index: index)) }
    /// [T·B, E], after `backward`, if the options asked for it.
    public var inputGradient: MatrixView { run.view(.inputGradient) }

    /// Adds the parameters' gradients, and computes those of the input and the
    /// initial states.
    public func backward() throws {
        precondition(run.plan.training, "backward needs a forward pass with isTraining")
        try run.backward()
        weightDropout?.finish()
    }
}
