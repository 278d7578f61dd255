/// Updates all parameters of a model: clips the gradients, steps the free parameters,
/// and moves the orthogonal weights along their manifold.
public final class ParameterUpdater {
    /// An orthogonal weight with its unconstrained parameter.
    public struct Constrained {
        /// The block of the model's parameters that holds the weight W.
        public let block: ParameterStore.OrthogonalBlock
        /// The unconstrained parameter B [n, n], skew-symmetric.
        public let skew: MatrixView
        let gradient: MatrixView
        let workspace: any ManifoldWorkspace
        let state: [MatrixView]
    }

    /// The optimizer that steps all parameters, including the skew ones.
    public let optimizer: any Optimizer
    /// The configuration: the learning rates, including those of orthogonal and of free
    /// recurrent weights, the clipping, and what a ``Trainer`` takes from here, such as the
    /// batch sizes and when training ends.
    public let configuration: TrainingConfiguration
    /// The learning rates of skew parameters and of free recurrent weights, relative to that
    /// of all others.
    private let manifoldRate: Double, recurrentRate: Double
    let backend: any Backend
    let parameters: ParameterStore
    /// The optimizer's step, for free and for skew parameters.
    private let kernels: (free: any Kernel, skew: any Kernel)
    /// The optimizer's step with a gate, compiled when it is first needed.
    private lazy var gatedKernels = Result { try Self.kernels(optimizer, isGated: true, on: backend) }
    private let norm: GradientNorm?
    private let clip: any Kernel
    /// The ranges that are each stepped in one run, with their rate relative to the learning rate.
    private let steps: [(range: Range<Int>, rate: Double)]
    /// The ranges of free parameters, by which the state is saved.
    private let freeRanges: [Range<Int>]
    /// The optimizer's state for all parameters, [1, count] each; the elements for orthogonal
    /// weights aren't used.
    private let freeState: [MatrixView]
    /// The orthogonal weights with their unconstrained parameters.
    public let constrained: [Constrained]
    /// The number of updates so far.
    public private(set) var step = 0

    /// What changes from update to update, with names for a checkpoint: each B, and the
    /// optimizer's state.
    var stateViews: [(name: String, view: MatrixView)] { stateViews(of: freeRanges) }

    /// Returns ``stateViews`` as they are divided in a file with as many pieces of the free
    /// parameters' state. A rate of its own for recurrent weights divides them further, and may
    /// have been set or removed since.
    func stateViews(pieces: Int) -> [(name: String, view: MatrixView)] {
        let layouts = [freeRanges, parameters.freeRanges, parameters.freeRangesByKind.map(\.range)]
        return stateViews(of: layouts.first { $0.count * freeState.count == pieces } ?? freeRanges)
    }

    /// What the names of the pieces of the free parameters' state begin with.
    static let freePrefix = "optimizer.free"

    private func stateViews(of ranges: [Range<Int>]) -> [(name: String, view: MatrixView)] {
        ranges.enumerated().flatMap { number, range in
            freeState.enumerated().map { ("\(Self.freePrefix)\(number).state\($0)", $1.columns(range)) }
        }
            + constrained.flatMap { item in
                [("manifold.\(item.block.name)", item.skew)]
                    + item.state.enumerated().map { ("optimizer.\(item.block.name).state\($0)", $1) }
            }
    }

    /// Creates an updater, and sets each orthogonal weight from its initial B.
    ///
    /// - Parameters:
    ///   - model: the model whose parameters are updated.
    ///   - optimizer: the optimizer of all parameters, including the skew ones.
    ///   - manifold: the manifold update of all orthogonal weights; unused if there are none.
    ///   - skewInitialization: the initialization of each B.
    ///   - configuration: the learning rates and the clipping, and how a ``Trainer`` trains
    ///     with this updater.
    ///   - measuresNorm: whether the norm of the gradients is measured even if it isn't clipped.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for an option out of range, and what the
    ///   backend throws.
    public init(
        model: SequenceModel, optimizer: any Optimizer, manifold: any ManifoldUpdate,
        skewInitialization: any SkewInitialization, configuration: TrainingConfiguration = TrainingConfiguration(),
        measuresNorm: Bool = false
    ) throws {
        try configuration.check()
        try optimizer.check()
        let backend = model.backend
        self.optimizer = optimizer
        self.configuration = configuration
        manifoldRate = (configuration.manifoldLearningRate ?? configuration.learningRate) / configuration.learningRate
        let recurrentRate =
            (configuration.recurrentLearningRate ?? configuration.learningRate) / configuration.learningRate
        self.recurrentRate = recurrentRate
        self.backend = backend
        parameters = model.parameters
        kernels = try Self.kernels(optimizer, isGated: false, on: backend)
        norm =
            configuration.clipNorm != nil || measuresNorm
            ? try GradientNorm(model.parameters.allGradients, on: backend) : nil
        clip = try backend.compile(
            PointwiseProgram(inputs: 1, scalars: 1) { x, bound in [max(-bound[0], min(bound[0], x[0]))] })
        func state(_ count: Int) throws -> [MatrixView] {
            try (0..<optimizer.stateCount).map { _ in try backend.allocate(rows: 1, columns: count) }
        }
        let parameters = model.parameters
        freeState = try state(parameters.count)
        if recurrentRate == 1 {
            // One run steps everything; what it does to orthogonal weights is overwritten.
            freeRanges = parameters.freeRanges
            steps = [(0..<parameters.count, 1)]
        } else {
            let ranges = parameters.freeRangesByKind
            freeRanges = ranges.map(\.range)
            steps = ranges.map { ($0.range, $0.isRecurrent ? recurrentRate : 1) }
        }
        constrained = try parameters.orthogonalBlocks.enumerated().map { index, block in
            let size = block.rows.count
            var random = RandomStream(
                RandomKey(seed: model.seed, purpose: .initialization, stream: block.parameter, step: 1000 + index))
            let skew = try backend.makeMatrix(
                skewInitialization.values(size: size, random: &random), rows: size, columns: size)
            let result = Constrained(
                block: block, skew: skew, gradient: try backend.allocate(rows: size, columns: size),
                workspace: try manifold.makeWorkspace(size: size, on: backend.exact), state: try state(size * size))
            try result.workspace.computeWeight(from: skew, into: parameters.value(of: block))
            return result
        }
    }

    /// The Euclidean norm of all gradients at the last update, before clipping; nil before
    /// the first update, or if it is neither clipped nor measured. Reading it waits for the backend.
    public var gradientNorm: Double? { step > 0 ? norm?.value : nil }

    private static func kernels(
        _ optimizer: any Optimizer, isGated: Bool, on backend: any Backend
    ) throws -> (free: any Kernel, skew: any Kernel) {
        (
            try backend.compile(optimizer.program(weightDecay: optimizer.penalty, isGated: isGated)),
            try backend.compile(optimizer.withoutWeightDecay.program(weightDecay: 0, isGated: isGated))
        )
    }

    /// Applies the gradients that the model holds.
    ///
    /// - Parameters:
    ///   - learningRate: the learning rate of this update.
    ///   - gate: a number [1, 1] on the backend, such as ``PendingLoss/largest``; if it is
    ///     infinite or NaN when the device reads it, parameters and state stay as they are.
    ///     Nil to update in any case.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if an orthogonal weight can't be computed.
    public func update(learningRate: Double, gate: MatrixView? = nil) throws {
        step += 1
        norm?.measure()
        if let bound = configuration.clipNorm { norm!.clip(to: bound) }
        if let bound = configuration.clipRecurrent {
            for index in parameters.recurrentWeights {
                let gradient = parameters.gradient(index)
                backend.run(clip, inputs: [gradient], outputs: [gradient], scalars: [bound])
            }
        }
        let kernels = try gate == nil ? self.kernels : gatedKernels.get()
        let scalars = optimizer.scalars(step: step)
        func run(_ kernel: any Kernel, _ value: MatrixView, _ gradient: MatrixView, _ state: [MatrixView], rate: Double)
        {
            backend.run(
                kernel,
                inputs: [value, gradient] + state
                    + (gate.map { [$0.broadcast(rows: 1, columns: value.columns)] } ?? []),
                outputs: [value] + state, scalars: [learningRate * rate] + scalars)
        }
        // The gradient of B depends on W, so it is computed before anything else is stepped.
        for item in constrained {
            try item.workspace.parameterGradient(
                weightGradient: parameters.gradient(of: item.block), weight: parameters.value(of: item.block),
                parameter: item.skew, into: item.gradient)
            run(
                kernels.skew, item.skew.reshaped(rows: 1, columns: item.skew.count),
                item.gradient.reshaped(rows: 1, columns: item.gradient.count), item.state, rate: manifoldRate)
        }
        for (range, rate) in steps {
            run(
                kernels.free, parameters.allValues.columns(range), parameters.allGradients.columns(range),
                freeState.map { $0.columns(range) }, rate: rate)
        }
        for item in constrained {
            try item.workspace.computeWeight(from: item.skew, into: parameters.value(of: item.block))
        }
    }

    /// Continues at a step whose state ``stateViews`` have been filled with. Each W is
    /// recomputed, bit for bit, so that each workspace has seen its B.
    func restored(step: Int) throws {
        self.step = step
        for item in constrained {
            try item.workspace.computeWeight(from: item.skew, into: parameters.value(of: item.block))
        }
    }

    /// Sets B, and with it W, for tests.
    ///
    /// - Parameters:
    ///   - values: the skew-symmetric matrix [n, n], row by row.
    ///   - index: the position of the weight in ``constrained``.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if W can't be computed.
    public func setSkew(_ values: [Double], of index: Int) throws {
        backend.upload(values, to: constrained[index].skew)
        try constrained[index].workspace.computeWeight(
            from: constrained[index].skew, into: parameters.value(of: constrained[index].block))
    }
}
