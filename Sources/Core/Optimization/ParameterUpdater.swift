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
    let manifoldRate: Double, recurrentRate: Double
    let backend: any Backend
    let parameters: ParameterStore
    /// The optimizer's step, for free and for skew parameters.
    private let kernels: (free: any Kernel, skew: any Kernel)
    /// The optimizer's step with a gate, compiled when it is first needed.
    private lazy var gatedKernels = Result { try Self.kernels(optimizer, isGated: true, on: backend) }
    private let norm: GradientNorm?
    private let clip: any Kernel
    private let scale: any Kernel
    /// The ranges that are each stepped in one run, with their rate relative to the learning rate.
    private let steps: [(range: Range<Int>, rate: Double)]
    /// The optimizer's state for the elements of ``stateRanges``, [1, count] each, one range after another; the elements
    /// for orthogonal weights aren't used.
    private let freeState: [MatrixView]
    /// The elements of which this process holds the optimizer's state.
    private let stateRanges: [Range<Int>]
    /// The orthogonal weights with their unconstrained parameters, as far as this process updates them.
    public let constrained: [Constrained]
    /// The number of updates so far.
    public private(set) var step = 0
    /// The processes that train the model together.
    public let communicator: any Communicator
    let shares: ParameterShares
    private let exchange: ParameterExchange?

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
    ///   - communicator: the processes that train the model together; each then holds the optimizer's state of a part of
    ///     the parameters, and updates only that.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for an option out of range, and what the
    ///   backend throws.
    public init(
        model: SequenceModel, optimizer: any Optimizer, manifold: any ManifoldUpdate,
        skewInitialization: any SkewInitialization, configuration: TrainingConfiguration = TrainingConfiguration(),
        measuresNorm: Bool = false, communicator: any Communicator = OneRank()
    ) throws {
        try configuration.check()
        try ShardPlan.check(shards: configuration.shards, ranks: communicator.size)
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
        scale = try backend.compile(.scaling)
        self.communicator = communicator
        let parameters = model.parameters, rank = communicator.rank
        let shares = ParameterShares(parameters, ranks: communicator.size)
        self.shares = shares
        exchange =
            communicator.size > 1 ? try ParameterExchange(parameters, shares, communicator, on: backend) : nil
        // Without shards, the whole gradient is one part, as in runs that were saved before there were any.
        let hasShards = configuration.shards > 1, whole = [0..<parameters.count]
        norm =
            configuration.clipNorm != nil || measuresNorm
            ? try GradientNorm(
                parameters.allGradients, parts: hasShards ? shares.parts : whole,
                owned: hasShards ? shares.owned : [whole], communicator, on: backend) : nil
        clip = try backend.compile(
            PointwiseProgram(inputs: 1, scalars: 1) { x, bound in [max(-bound[0], min(bound[0], x[0]))] })
        func state(_ count: Int) throws -> [MatrixView] {
            try (0..<optimizer.stateCount).map { _ in try backend.allocate(rows: 1, columns: count) }
        }
        // One process steps everything in one run; what it does to orthogonal weights is overwritten.
        let stateRanges = communicator.size == 1 ? [0..<parameters.count] : shares.free[rank]
        self.stateRanges = stateRanges
        freeState = try state(stateRanges.elementCount)
        steps =
            recurrentRate == 1
            ? stateRanges.map { ($0, 1) }
            : parameters.freeRangesByKind.flatMap { kind in
                stateRanges.clamped(to: kind.range).map { ($0, kind.isRecurrent ? recurrentRate : 1) }
            }
        constrained = try parameters.orthogonalBlocks.enumerated().compactMap { index, block in
            guard shares.blockOwners[index] == rank else { return nil }
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

    /// The number of the optimizer's state variables and of elements of B that this process holds.
    package var stateCount: Int {
        stateRanges.elementCount * optimizer.stateCount
            + constrained.reduce(0) { $0 + $1.skew.count * (1 + optimizer.stateCount) }
    }

    /// Whether each update measures the norm of the gradients.
    var measuresNorm: Bool { norm != nil }

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

    /// Applies the gradients that the model holds: those of a whole batch. A ``Trainer`` divides batches into shards.
    ///
    /// - Parameters:
    ///   - learningRate: the learning rate of this update.
    ///   - gate: a number [1, 1] on the backend, such as ``PendingLoss/largest``; if it is
    ///     infinite or NaN when the device reads it, parameters and state stay as they are.
    ///     Nil to update in any case.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if an orthogonal weight can't be computed.
    public func update(learningRate: Double, gate: MatrixView? = nil) throws {
        try update(learningRate: learningRate, gate: gate, shards: 1)
    }

    /// Applies the gradients that the model holds: the sum over this process's shards, of `shards` in all processes.
    ///
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if an orthogonal weight can't be computed. Where several processes
    ///   train the model, the weight becomes NaN instead, and with it the next loss of them all.
    func update(learningRate: Double, gate: MatrixView?, shards: Int) throws {
        step += 1
        try exchange?.sumGradients()
        if shards > 1 { divideGradients(by: shards) }
        try norm?.measure()
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
            do {
                try item.workspace.parameterGradient(
                    weightGradient: parameters.gradient(of: item.block), weight: parameters.value(of: item.block),
                    parameter: item.skew, into: item.gradient)
            } catch RecurrentError.linearAlgebra where exchange != nil {
                backend.fill(item.gradient, with: .nan)
            }
            run(
                kernels.skew, item.skew.reshaped(rows: 1, columns: item.skew.count),
                item.gradient.reshaped(rows: 1, columns: item.gradient.count), item.state, rate: manifoldRate)
        }
        for (range, rate) in steps {
            run(
                kernels.free, parameters.allValues.columns(range), parameters.allGradients.columns(range),
                stateViews(of: range), rate: rate)
        }
        try computeWeights()
        try shareValues()
    }

    /// Returns the optimizer's state of some elements, which lie within one range of ``stateRanges``.
    func stateViews(of range: Range<Int>) -> [MatrixView] {
        var start = 0
        for own in stateRanges {
            if own.lowerBound <= range.lowerBound, range.upperBound <= own.upperBound {
                start += range.lowerBound - own.lowerBound
                return freeState.map { $0.columns(start..<start + range.count) }
            }
            start += own.count
        }
        preconditionFailure("the state of these elements lies with another process")
    }

    /// Divides the own gradients, which are sums over the shards of a batch, by the number of shards.
    private func divideGradients(by shards: Int) {
        for range in shares.owned[communicator.rank] {
            let gradient = parameters.allGradients.columns(range)
            backend.run(scale, inputs: [gradient], outputs: [gradient], scalars: [1 / Double(shards)])
        }
    }

    private func computeWeights() throws {
        for item in constrained {
            let weight = parameters.value(of: item.block)
            do { try item.workspace.computeWeight(from: item.skew, into: weight) } catch RecurrentError.linearAlgebra
                where exchange != nil
            {
                backend.fill(weight, with: .nan)
            }
        }
    }

    /// Continues at a step whose state has been restored. Each W is recomputed, bit for bit, so that each workspace has
    /// seen its B.
    func restored(step: Int) throws {
        self.step = step
        try computeWeights()
    }

    /// Gives all processes the same parameters, each from the process that updates it.
    func shareValues() throws { try exchange?.shareValues() }

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
