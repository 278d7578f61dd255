/// One optimization step for a whole model: clips, steps the free parameters,
/// and moves the orthogonal weights along their manifold.
public final class ParameterUpdater {
    public struct Settings: Sendable {
        /// Bound of each element of the recurrent weights' gradients; nil for none.
        /// (The paper: ±0.25, nothing else clipped.)
        public var recurrentClip: Double?
        /// The learning rate of the skew parameters, relative to the others'.
        public var manifoldRateFactor: Double
        /// The learning rate of recurrent weights that are free, relative to the others'.
        public var recurrentRateFactor: Double
        /// Bound of the Euclidean norm of all gradients together, those with respect
        /// to orthogonal weights included; taken before `recurrentClip`. Nil for none.
        public var normClip: Double?
        /// Of an L2 penalty on every parameter but the skew ones.
        public var weightDecay: Double
        /// Whether the norm is measured where it isn't clipped.
        public var measuresNorm: Bool
        public init(
            recurrentClip: Double? = nil, manifoldRateFactor: Double = 1, recurrentRateFactor: Double = 1,
            normClip: Double? = nil, weightDecay: Double = 0, measuresNorm: Bool = false
        ) {
            self.recurrentClip = recurrentClip
            self.manifoldRateFactor = manifoldRateFactor
            self.recurrentRateFactor = recurrentRateFactor
            self.normClip = normClip
            self.weightDecay = weightDecay
            self.measuresNorm = measuresNorm
        }
    }

    /// An orthogonal weight with its unconstrained parameter.
    public struct Constrained {
        public let block: ParameterStore.OrthogonalBlock
        /// B [n, n], skew-symmetric.
        public let skew: MatrixView
        let gradient: MatrixView
        let workspace: any ManifoldWorkspace
        let state: [MatrixView]
    }

    public let optimizer: any Optimizer
    public let settings: Settings
    let backend: any Backend
    let parameters: ParameterStore
    private let kernel: any Kernel
    /// For skew parameters.
    private let skewKernel: any Kernel
    private let norm: GradientNorm?
    private let clip: any Kernel
    /// One per range that is stepped directly: value, gradient, state, and its rate
    /// relative to the learning rate.
    private let free: [(value: MatrixView, gradient: MatrixView, state: [MatrixView], rate: Double)]
    public let constrained: [Constrained]
    /// Updates made so far.
    public private(set) var step = 0

    /// What changes from update to update, named for a checkpoint: each B, and the
    /// optimizer's state.
    var stateViews: [(name: String, view: MatrixView)] {
        free.enumerated().flatMap { range, item in
            item.state.enumerated().map { ("optimizer.free\(range).state\($0)", $1) }
        } + constrained.flatMap { item in
            [("manifold.\(item.block.name)", item.skew)]
                + item.state.enumerated().map { ("optimizer.\(item.block.name).state\($0)", $1) }
        }
    }

    /// Prepares the state, and sets each orthogonal weight from its initial B.
    ///
    /// - Parameters:
    ///   - model: whose parameters are stepped.
    ///   - optimizer: of all parameters, the skew ones included.
    ///   - manifold: of all orthogonal weights; unused if the model has none.
    ///   - skewInitialization: of each B.
    ///   - settings: clipping, and rates of their own.
    public init(
        model: SequenceModel, optimizer: any Optimizer, manifold: any ManifoldUpdate,
        skewInitialization: any SkewInitialization, settings: Settings = Settings()
    ) throws {
        let backend = model.backend
        self.optimizer = optimizer
        self.settings = settings
        self.backend = backend
        parameters = model.parameters
        kernel = try backend.compile(optimizer.program(weightDecay: settings.weightDecay))
        skewKernel = try backend.compile(optimizer.withoutWeightDecay.program)
        norm = settings.normClip != nil || settings.measuresNorm
            ? try GradientNorm(model.parameters.allGradients, backend: backend) : nil
        clip = try backend.compile(
            PointwiseProgram(inputs: 1, scalars: 1) { x, bound in [max(-bound[0], min(bound[0], x[0]))] })
        func state(_ count: Int) throws -> [MatrixView] {
            try (0..<optimizer.stateCount).map { _ in try backend.allocate(rows: 1, columns: count) }
        }
        let parameters = model.parameters
        let ranges = settings.recurrentRateFactor == 1
            ? parameters.freeRanges.map { (range: $0, isRecurrent: false) } : parameters.freeRangesByKind
        free = try ranges.map {
            (
                parameters.allValues.columns($0.range), parameters.allGradients.columns($0.range), try state($0.range.count),
                $0.isRecurrent ? settings.recurrentRateFactor : 1
            )
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

    /// The Euclidean norm of all gradients at the last update, before clipping;
    /// nil unless it is clipped or measured. Waits for the backend.
    public var gradientNorm: Double? { step > 0 ? norm?.value : nil }

    /// Applies the gradients that the model holds.
    public func update(learningRate: Double) throws {
        step += 1
        norm?.measure()
        if let bound = settings.normClip { norm!.clip(to: bound) }
        if let bound = settings.recurrentClip {
            for index in parameters.recurrentWeights {
                let gradient = parameters.gradient(index)
                backend.run(clip, inputs: [gradient], outputs: [gradient], scalars: [bound])
            }
        }
        let scalars = optimizer.scalars(step: step)
        for range in free {
            backend.run(
                kernel, inputs: [range.value, range.gradient] + range.state, outputs: [range.value] + range.state,
                scalars: [learningRate * range.rate] + scalars)
        }
        for item in constrained {
            let weight = parameters.value(of: item.block)
            try item.workspace.parameterGradient(
                weightGradient: parameters.gradient(of: item.block), weight: weight, parameter: item.skew,
                into: item.gradient)
            let skew = item.skew.reshaped(rows: 1, columns: item.skew.count)
            backend.run(
                skewKernel,
                inputs: [skew, item.gradient.reshaped(rows: 1, columns: item.gradient.count)] + item.state,
                outputs: [skew] + item.state, scalars: [learningRate * settings.manifoldRateFactor] + scalars)
            try item.workspace.computeWeight(from: item.skew, into: weight)
        }
    }

    /// After ``stateViews`` were filled with what they held at this step: each
    /// workspace sees its B again. W comes out in the same bits.
    func restored(step: Int) throws {
        self.step = step
        for item in constrained { try item.workspace.computeWeight(from: item.skew, into: parameters.value(of: item.block)) }
    }

    /// Sets B, and with it W: for tests.
    public func setSkew(_ values: [Double], of index: Int) throws {
        backend.upload(values, to: constrained[index].skew)
        try constrained[index].workspace.computeWeight(
            from: constrained[index].skew, into: parameters.value(of: constrained[index].block))
    }
}
