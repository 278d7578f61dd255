import RecurrentCore
import RecurrentRuns

/// A piece of work to time.
///
/// Its name is `toy-CELL-nN`, `lm-CELL-tT`, `lm-CELL-ACTIVATION-tT`, `generate-CELL`, `serve-CELL-bN` or `exp-nN`; names
/// that begin with `lm` may have `-hH` before `-tT`, for a number of units other than 200.
struct Workload {
    let name: String
    /// The number of multiplications and additions in the unavoidable matrix products of a step.
    let flops: Double
    /// Does one step of the work.
    let step: () throws -> Void

    /// The workloads that are timed by default: the toy tasks of every cell, and exponentials.
    static func defaultNames(_ registry: Registry) -> [String] {
        cells(registry).flatMap { cell in [20, 100, 400].map { "toy-\(cell)-n\($0)" } }
            + [50, 200, 512, 1024].map { "exp-n\($0)" }
    }

    static func languageModelNames(_ registry: Registry) -> [String] {
        cells(registry).flatMap { cell in [35, 150].map { "lm-\(cell)-t\($0)" } }
    }

    /// The registered cells, without those that need an input as wide as their states, which no workload has, and those
    /// with a hyphen in their names, which separates the parts of a workload's.
    static func cells(_ registry: Registry) -> [String] {
        registry.names(.cell).filter { name in
            guard !name.contains("-") else { return false }
            let cell = try? registry.makeCell(registry.resolve(.init(cell: PluginChoice(name)), locatesData: false))
            return cell.map { (try? StepCompiler.compile($0, inputWidth: 30, hiddenWidth: 50)) != nil } ?? false
        }
    }

    static func make(_ name: String, on backend: any Backend, registry: Registry) throws -> Workload {
        let name = name.lowercased(), parts = name.split(separator: "-").map(String.init)
        func size(_ part: Int, _ letter: Character, upTo most: Int) -> Int? {
            guard parts[part].first == letter, let size = Int(parts[part].dropFirst()), (1...most).contains(size) else {
                return nil
            }
            return size
        }
        if parts.count == 3, parts[0] == "toy", let n = size(2, "n", upTo: 100_000) {
            return try training(
                name, cell: parts[1], on: backend, registry: registry,
                Shape(
                    steps: n, batch: 100, embedding: 30, hidden: 50, classes: 10, isLanguageModel: false))
        }
        if (3...5).contains(parts.count), parts[0] == "lm", let t = size(parts.count - 1, "t", upTo: 10_000) {
            let hidden = size(parts.count - 2, "h", upTo: 10_000),
                named = parts[2..<(parts.count - (hidden == nil ? 1 : 2))]
            if named.count <= 1 {
                return try training(
                    name, cell: parts[1], activation: named.first, on: backend, registry: registry,
                    Shape(
                        steps: t, batch: 80, embedding: 400, hidden: hidden ?? 200, classes: 10_000,
                        isLanguageModel: true))
            }
        }
        if parts.count == 2, parts[0] == "generate" {
            return try generation(name, cell: parts[1], on: backend, registry: registry)
        }
        if parts.count == 3, parts[0] == "serve", let streams = size(2, "b", upTo: 100_000) {
            return try serving(name, cell: parts[1], streams: streams, on: backend, registry: registry)
        }
        if parts.count == 2, parts[0] == "exp", let n = size(1, "n", upTo: 20_000) {
            return try exponential(name, size: n, on: backend, registry: registry)
        }
        throw RecurrentError.unknownName(
            kind: "workload", name: name,
            known: defaultNames(registry) + languageModelNames(registry) + generationNames(registry) + servingNames)
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
        return Workload(name: name, flops: try flops(of: made, shape)) {
            _ = try model.computeGradients(batch, step: count)
            try updater.update(learningRate: 1e-4)
            backend.synchronize()
            count += 1
        }
    }

    /// Returns the operations of a training step: `2 · rows · inner · outer` for each of the input, recurrent and output
    /// products in the forward pass, and twice as many in the backward pass.
    private static func flops(of cell: any RecurrentCell, _ shape: Shape) throws -> Double {
        func weights(_ kind: CellParameter.Kind) -> Double { Double(cell.parameters.count { $0.kind == kind }) }
        let rows = Double(shape.steps * shape.batch), hidden = Double(shape.hidden)
        let input = weights(.inputWeight) * hidden * Double(shape.embedding)
        let recurrent = weights(.recurrentWeight) * hidden * hidden
        let outputRows = shape.isLanguageModel ? rows : Double(shape.batch)
        return 6 * (rows * (input + recurrent) + outputRows * Double(cell.outputCount) * hidden * Double(shape.classes))
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
