import RecurrentCore
import RecurrentRuns

/// A piece of work to time; ``WorkloadName`` says what its name can be.
struct Workload {
    let name: String
    /// The number of multiplications and additions in the unavoidable matrix products of a step.
    let flops: Double
    /// What the first layer multiplies; nil where it isn't a layer's training.
    var input: Input?
    /// Does one step of the work.
    let step: () throws -> Void

    /// What the first layer multiplies by its input weights: the rows of the embedding, which are looked up afterwards, or the
    /// vectors of all positions.
    enum Input: String, Codable { case tokens, vectors }

    /// The workloads that are timed by default: the toy tasks of every cell, and exponentials.
    static func defaultNames(_ registry: Registry) -> [String] {
        cells(registry).flatMap { cell in [20, 100, 400].map { "toy-\(cell)-n\($0)" } }
            + [50, 200, 512, 1024].map { "exp-n\($0)" }
    }

    static func languageModelNames(_ registry: Registry) -> [String] {
        cells(registry).flatMap { cell in [35, 150].map { "lm-\(cell)-t\($0)" } }
    }

    /// The registered cells, without those that need an input as wide as their states, which no workload has.
    static func cells(_ registry: Registry) -> [String] {
        registry.names(.cell).filter { name in
            let cell = try? registry.makeCell(registry.resolve(.init(cell: PluginChoice(name)), locatesData: false))
            return cell.map { (try? StepCompiler.compile($0, inputWidth: 30, hiddenWidth: 50)) != nil } ?? false
        }
    }

    static func make(_ name: String, on backend: any Backend, registry: Registry) throws -> Workload {
        let name = name.lowercased()
        switch try WorkloadName(name, registry) {
        case .toy(let cell, let hidden, let steps):
            return try training(
                name, cell: cell, on: backend, registry: registry,
                Shape(steps: steps, batch: 100, embedding: 30, hidden: hidden, classes: 10, isLanguageModel: false))
        case .languageModel(let cell, let activation, let hidden, let steps):
            return try training(
                name, cell: cell, activation: activation, on: backend, registry: registry,
                Shape(
                    steps: steps, batch: 80, embedding: 400, hidden: hidden, classes: 10_000, isLanguageModel: true))
        case .evaluate(let cell, let streams):
            return try evaluation(name, cell: cell, streams: streams, on: backend, registry: registry)
        case .generate(let cell): return try generation(name, cell: cell, on: backend, registry: registry)
        case .serve(let cell, let streams):
            return try serving(name, cell: cell, streams: streams, on: backend, registry: registry)
        case .exponential(let size): return try exponential(name, size: size, on: backend, registry: registry)
        case .update(let manifold, let field, let size):
            return try update(name, manifold, field, size: size, on: backend, registry: registry)
        }
    }

    private struct Shape {
        let steps, batch, embedding, hidden, classes: Int
        let isLanguageModel: Bool
    }

    /// Creates a workload of training steps: forward pass, backward pass, optimizer and manifold update.
    private static func training(
        _ name: String, cell: String, activation: String? = nil, on backend: any Backend, registry: Registry,
        _ shape: Shape
    ) throws -> Workload {
        var configuration = RunConfiguration(cell: PluginChoice(cell))
        configuration.activation = activation.map { PluginChoice($0) }
        configuration.model.embeddingSize = shape.embedding
        configuration.model.hiddenSize = shape.hidden
        configuration.model.dropout = 0.2
        if shape.isLanguageModel {
            configuration.model.dropoutPlaces = [.embedding, .output]
            configuration.model.tableInitialization = .languageModel
            configuration.training.clipRecurrent = 0.25
        }
        configuration = try registry.resolve(configuration, locatesData: false)
        if let activation, configuration.activation == nil {
            throw RecurrentError.invalidOption(
                "--workload \(name): the activation \(activation) does nothing for the cell \(configuration.cell.name), whose nonlinearity can't be chosen; write \(name.replacing("-\(activation)-", with: "-"))"
            )
        }
        let description = DatasetDescription(
            inputs: .tokens(vocabulary: shape.classes),
            targets: shape.isLanguageModel
                ? .positionClass(classes: shape.classes) : .sequenceClass(classes: shape.classes),
            isContinuous: shape.isLanguageModel, metric: shape.isLanguageModel ? .perplexity : .accuracy)
        let made = try registry.makeCell(configuration)
        let model = try SequenceModel(
            cell: made, configuration: configuration.model, data: description, on: backend, seed: 1)
        let updater = try ParameterUpdater(
            model: model, optimizer: try registry.makeOptimizer(configuration),
            manifold: try registry.makeManifold(configuration),
            skewInitialization: try registry.makeSkewInitialization(configuration),
            configuration: configuration.training)
        var random = RandomStream(RandomKey(seed: 1, purpose: .test))
        let rows = shape.steps * shape.batch
        let batch = Batch(
            steps: shape.steps, size: shape.batch,
            inputs: .tokens((0..<rows).map { _ in Int32(random.integer(below: shape.classes)) }),
            targets: (0..<(shape.isLanguageModel ? rows : shape.batch)).map { _ in
                Int32(random.integer(below: shape.classes))
            })
        var count = 0
        let readsTokens = model.readsTokens(positions: rows, isTraining: true)
        return Workload(
            name: name, flops: try flops(of: made, shape, readsTokens: readsTokens),
            input: readsTokens ? .tokens : .vectors
        ) {
            _ = try model.computeGradients(batch, step: count)
            try updater.update(learningRate: 1e-4)
            backend.synchronize()
            count += 1
        }
    }

    /// Returns the operations of a training step: `2 · rows · inner · outer` for each product of the compiled cell, forward
    /// and backward, and three times as many as that for the output's products in the forward pass. Products of the input
    /// have a row for each token where the layer reads tokens.
    private static func flops(of cell: any RecurrentCell, _ shape: Shape, readsTokens: Bool) throws -> Double {
        let plan = try StepCompiler.compile(
            cell, inputWidth: shape.embedding, hiddenWidth: shape.hidden, tokens: readsTokens)
        let positions = Double(shape.steps * shape.batch), tokens = Double(shape.classes)
        let sum = (plan.prelude + plan.forwardLoop + plan.backwardLoop + plan.epilogue).reduce(0) { sum, operation in
            sum + (operation.isPerToken(in: plan) ? tokens : positions) * operation.flopsPerRow
        }
        return sum + 6 * (shape.isLanguageModel ? positions : Double(shape.batch)) * Double(plan.outputWidth) * tokens
    }

    /// Creates the workload of the matrix exponential of a random skew-symmetric B with a norm ‖B‖₂ of about 3.
    ///
    /// The floor counts five products, 10 n³, as a polynomial of degree 18 needs.
    private static func exponential(_ name: String, size: Int, on backend: any Backend, registry: Registry) throws
        -> Workload
    {
        let manifold = try registry.makeManifold(RunConfiguration())
        let workspace = try manifold.makeWorkspace(size: size, on: backend)
        var random = RandomStream(RandomKey(seed: 1, purpose: .test, stream: size))
        // A skew-symmetric matrix with independent entries of standard deviation s has a norm of about 2 s √n.
        let deviation = 1.5 / Double(size).squareRoot()
        var values = [Double](repeating: 0, count: size * size)
        for i in 0..<size {
            for j in 0..<i {
                values[i * size + j] = deviation * random.normal()
                values[j * size + i] = -values[i * size + j]
            }
        }
        let skew = try backend.makeMatrix(values, rows: size, columns: size)
        let weight = try backend.allocate(rows: size, columns: size)
        let cube = Double(size) * Double(size) * Double(size)
        return Workload(name: name, flops: 10 * cube) {
            try workspace.computeWeight(at: ManifoldPoint(skew), into: weight)
            backend.synchronize()
        }
    }
}

extension PlanOperation {
    /// Whether the operation's product has a row for each token, and not for each position.
    fileprivate func isPerToken(in plan: RecurrencePlan) -> Bool {
        switch self {
        case .gemm(let operand, _, _, _), .weightGradient(_, let operand, _):
            plan.buffers[operand.buffer].role.isOfTokens
        default: false
        }
    }

    /// The multiplications and additions in the operation's products, for one row.
    var flopsPerRow: Double {
        switch self {
        case .gemm(let a, _, let result, _): 2 * Double(a.columns * result.columns)
        case .weightGradient(let delta, let operand, _): 2 * Double(delta.columns * operand.columns)
        case .kernel, .lookup, .tokenSum, .vectorGradient: 0
        }
    }
}
