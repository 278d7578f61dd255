/// Updates all parameters of a model: clips the gradients, steps the free parameters,
/// and moves the orthogonal weights along their manifold.
public final class ParameterUpdater {
    /// The optimizer that steps all parameters, including the skew ones, except those of a group with its own.
    public let optimizer: any Optimizer
    /// The configuration: the learning rates, including those of orthogonal and of free
    /// recurrent weights, the clipping, and what a ``Trainer`` takes from here, such as the
    /// batch sizes and when training ends.
    public let configuration: TrainingConfiguration
    /// The learning rate of free recurrent weights, relative to that of all others.
    let recurrentRate: Double
    let backend: any Backend
    let parameters: ParameterStore
    /// The parameters by groups.
    let grouped: GroupedParameters
    /// The optimizers' steps: those of the updater's own first, then those of the groups that have others.
    private let kernels: [OptimizerKernels]
    private let norm: GradientNorm?
    private let clip: any Kernel
    private let scale: any Kernel
    /// The gradients of the recurrent weights that are updated.
    private let recurrentGradients: [MatrixView]
    /// The runs in which the free elements are stepped.
    private let steps: [UpdateStep]
    /// The optimizers' state for the elements of ``stateRanges``, [1, count] each, one range after another; the elements
    /// for orthogonal weights aren't used.
    private let freeState: [MatrixView]
    /// The elements of which this process holds the optimizers' state.
    let stateRanges: [Range<Int>]
    /// The number of state variables for an element: as many as the largest optimizer has.
    let stateVariables: Int
    /// What each orthogonal weight is computed from; nil if it is frozen.
    let blockLayouts: [BlockLayout?]
    /// The orthogonal weights with their unconstrained parameters, as far as this process updates them.
    public let constrained: [Constrained]
    /// The number of updates so far.
    public private(set) var step = 0
    /// Whether each ``Constrained/kept`` is the point of the best weights so far.
    var hasKeptPoints = false
    /// The processes that train the model together.
    public let communicator: any Communicator
    let shares: ParameterShares
    private let exchange: ParameterExchange?

    /// Creates an updater of the parameters of any layers, and sets each orthogonal weight that isn't frozen from its
    /// initial B₀.
    ///
    /// The parameters are those of a store that has been allocated; ``ParameterInitializer`` sets their first values. In
    /// each step, fill their gradients with 0, let the layers add theirs, and call ``update(learningRate:gate:)``.
    ///
    /// - Parameters:
    ///   - parameters: the parameters that are updated.
    ///   - backend: the backend that holds them.
    ///   - seed: the seed of the initial B₀.
    ///   - optimizer: the optimizer of all parameters, including the skew ones.
    ///   - manifold: the manifold update of all orthogonal weights; nil if there are none.
    ///   - skewInitialization: the initialization of each B₀; nil if there are none.
    ///   - configuration: the learning rates, the clipping, and which parameters are frozen or have other rates.
    ///   - groups: the parameters that are updated in another way; the first group that matches decides, after those of
    ///     `configuration`.
    ///   - measuresNorm: whether the norm of the gradients is measured even if it isn't clipped.
    ///   - communicator: the processes that train the model together; each then holds the optimizer's state of a part of
    ///     the parameters, and updates only that.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for an option out of range, a group that matches nothing or asks for
    ///   something impossible, or an orthogonal weight without a manifold update, and what the backend throws.
    public init(
        parameters: ParameterStore, on backend: any Backend, seed: UInt64 = 1, optimizer: any Optimizer,
        manifold: (any ManifoldUpdate)? = nil, skewInitialization: (any SkewInitialization)? = nil,
        configuration: TrainingConfiguration = TrainingConfiguration(), groups: [ParameterGroup] = [],
        measuresNorm: Bool = false, communicator: any Communicator = OneRank()
    ) throws {
        try configuration.check()
        try ShardPlan.check(shards: configuration.shards, ranks: communicator.size)
        self.optimizer = optimizer
        self.configuration = configuration
        self.backend = backend
        self.parameters = parameters
        self.communicator = communicator
        let grouped = try GroupedParameters(configuration.parameterGroups() + groups, parameters)
        self.grouped = grouped
        let rank = communicator.rank, ranks = communicator.size
        let shares = ParameterShares(parameters, ranks: ranks, frozen: grouped.frozen)
        self.shares = shares
        let settings = try UpdateSettings(grouped, optimizer, configuration, on: backend)
        (kernels, recurrentRate, stateVariables) = (settings.kernels, settings.recurrentRate, settings.stateVariables)
        scale = try backend.compile(.scaling)
        exchange = ranks > 1 ? try ParameterExchange(parameters, shares, communicator, on: backend) : nil
        // Without shards, the whole gradient is one part, as in runs that were saved before there were any.
        let hasShards = configuration.shards > 1
        norm =
            configuration.clipNorm != nil || measuresNorm
            ? try GradientNorm(
                parameters.allGradients, parts: hasShards ? shares.parts : grouped.trained,
                owned: hasShards ? shares.owned : [grouped.trained], communicator, on: backend) : nil
        clip = try backend.compile(
            PointwiseProgram(inputs: 1, scalars: 1) { x, bound in [max(-bound[0], min(bound[0], x[0]))] })
        recurrentGradients = parameters.recurrentWeights.flatMap { index in
            grouped.trained.clamped(to: parameters.range(index)).map(parameters.allGradients.columns)
        }
        func state(_ count: Int) throws -> [MatrixView] {
            try (0..<settings.stateVariables).map { _ in try backend.allocate(rows: 1, columns: max(count, 1)) }
        }
        // One process steps everything in one run; what it does to orthogonal weights is overwritten.
        let stepsAll = ranks == 1 && grouped.groups.isEmpty
        stateRanges = stepsAll ? [0..<parameters.count] : shares.free[rank]
        freeState = try state(stateRanges.elementCount)
        steps = settings.steps(stateRanges, parameters)
        let blocks = try parameters.orthogonalBlocks.enumerated().map { index, block in
            guard let owner = shares.blockOwners[index] else { return (nil, nil) as (BlockLayout?, Constrained?) }
            let group = grouped.group(of: block)
            guard let manifold = group?.group.manifold ?? manifold, let skewInitialization else {
                throw RecurrentError.invalidOption(
                    "\(block.name) is kept \(block.field == .real ? "orthogonal" : "unitary"), which needs a `manifold` and a `skewInitialization`"
                )
            }
            guard owner == rank else {
                let workspace = try manifold.makeWorkspace(block.field, size: block.size, on: backend.exact)
                return (BlockLayout(workspace, manifold), nil)
            }
            let (workspace, point) = try manifold.start(
                block, index, from: skewInitialization, seed: seed, on: backend)
            try workspace.computeWeight(at: point, into: parameters.value(of: block))
            let item = Constrained(
                block: block, point: point,
                gradients: try workspace.parameters.map { try backend.allocate(rows: $0.rows, columns: $0.columns) },
                workspace: workspace, traits: manifold.traits,
                states: try workspace.parameters.map { try state($0.count) },
                kernels: settings.kernels(of: group?.number), rate: settings.skewRate(group?.group),
                kept: manifold.traits.starts == .nowhere ? try ManifoldPoint(for: workspace, on: backend) : nil)
            return (BlockLayout(workspace, manifold), item)
        }
        (blockLayouts, constrained) = (blocks.map(\.0), blocks.compactMap(\.1))
    }

    /// Creates an updater of a model's parameters, and sets each orthogonal weight that isn't frozen from its initial B.
    ///
    /// - Parameters:
    ///   - model: the model whose parameters are updated.
    ///   - optimizer: the optimizer of all parameters, including the skew ones.
    ///   - manifold: the manifold update of all orthogonal weights; unused if there are none.
    ///   - skewInitialization: the initialization of each B₀.
    ///   - configuration: the learning rates, the clipping, and which parameters are frozen or have other rates; how a
    ///     ``Trainer`` trains with this updater.
    ///   - groups: the parameters that are updated in another way; the first group that matches decides, after those of
    ///     `configuration`.
    ///   - measuresNorm: whether the norm of the gradients is measured even if it isn't clipped.
    ///   - communicator: the processes that train the model together; each then holds the optimizer's state of a part of
    ///     the parameters, and updates only that.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for an option out of range, or a group that matches nothing or asks
    ///   for something impossible, and what the backend throws.
    public convenience init(
        model: SequenceModel, optimizer: any Optimizer, manifold: any ManifoldUpdate,
        skewInitialization: any SkewInitialization, configuration: TrainingConfiguration = TrainingConfiguration(),
        groups: [ParameterGroup] = [], measuresNorm: Bool = false, communicator: any Communicator = OneRank()
    ) throws {
        try self.init(
            parameters: model.parameters, on: model.backend, seed: model.seed, optimizer: optimizer,
            manifold: manifold, skewInitialization: skewInitialization, configuration: configuration, groups: groups,
            measuresNorm: measuresNorm, communicator: communicator)
    }

    /// Whether each update measures the norm of the gradients.
    var measuresNorm: Bool { norm != nil }

    /// The Euclidean norm of all gradients at the last update, before clipping; nil before
    /// the first update, or if it is neither clipped nor measured. Reading it waits for the backend.
    public var gradientNorm: Double? { step > 0 ? norm?.value : nil }

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
        guard learningRate >= 0, learningRate.isFinite else {
            throw RecurrentError.invalidOption("a learning rate must be at least 0 and finite, not \(learningRate)")
        }
        step += 1
        try exchange?.sumGradients()
        if shards > 1 { divideGradients(by: shards) }
        try norm?.measure()
        if let bound = configuration.clipNorm { norm!.clip(to: bound) }
        if let bound = configuration.clipRecurrent {
            for gradient in recurrentGradients {
                backend.run(clip, inputs: [gradient], outputs: [gradient], scalars: [bound])
            }
        }
        for kernels in kernels { try kernels.prepare(step: step, isGated: gate != nil) }
        func run(
            _ kernel: any Kernel, _ value: MatrixView, _ gradient: MatrixView, _ state: [MatrixView], _ rate: Double,
            _ scalars: [Double]
        ) {
            backend.run(
                kernel,
                inputs: [value, gradient] + state
                    + (gate.map { [$0.broadcast(rows: 1, columns: value.columns)] } ?? []),
                outputs: [value] + state, scalars: [learningRate * rate] + scalars)
        }
        // The gradients of B and the like depend on W, so they are computed before anything else is stepped.
        for item in constrained {
            do { try item.computeGradients(parameters, step: step, gate: gate) } catch RecurrentError.linearAlgebra
                where exchange != nil
            {
                for gradient in item.gradients { backend.fill(gradient, with: .nan) }
            }
            for (index, parameter) in item.point.parameters.enumerated() {
                run(
                    item.kernels.current.skew, parameter.reshaped(rows: 1, columns: parameter.count),
                    item.gradients[index].reshaped(rows: 1, columns: parameter.count),
                    item.kernels.own(item.states[index]), item.rate, item.kernels.scalars)
            }
        }
        for step in steps {
            run(
                step.kernels.current.free, parameters.allValues.columns(step.range),
                parameters.allGradients.columns(step.range),
                step.kernels.own(stateViews(of: step.range)), step.rate, step.kernels.scalars)
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
            do { try item.workspace.computeWeight(at: item.point, into: weight) } catch RecurrentError.linearAlgebra
                where exchange != nil
            {
                backend.fill(weight, with: .nan)
            }
        }
    }

    /// Continues at a step whose state has been restored. Each W is recomputed, bit for bit, so that each workspace has
    /// seen its point.
    func restored(step: Int) throws {
        self.step = step
        try computeWeights()
    }

    /// Gives all processes the same parameters, each from the process that updates it.
    func shareValues() throws { try exchange?.shareValues() }
}
