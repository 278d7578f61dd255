import RecurrentCore
import RecurrentRuns

extension Workload {
    static func generationNames(_ registry: Registry) -> [String] { cells(registry).map { "generate-\($0)" } }
    static let servingNames = [1, 8, 64, 512].map { "serve-gru-b\($0)" }
    static let evaluationNames = ["gru", "ugru"].map { "evaluate-\($0)-b10" }

    /// Creates the workload `generate-CELL`: one token of text, drawn from all words (E 400, H 200, V 10,000).
    ///
    /// Every weight is read once per token, so the memory bandwidth rather than the rate of products limits the speed, and
    /// the ratio to the floor says little.
    static func generation(_ name: String, cell: String, on backend: any Backend, registry: Registry) throws -> Workload
    {
        let model = try languageModel(cell: cell, on: backend, registry: registry)
        let generator = try Generator(model, sampling: Sampling(), seed: 1)
        var token = 0
        return Workload(name: name, flops: try flops(of: model)) { token = try generator.next(after: token) }
    }

    /// Creates the workload `serve-CELL-bN`: the logits of the next token of N streams, each after one token (E 400, H 200,
    /// V 10,000).
    static func serving(_ name: String, cell: String, streams: Int, on backend: any Backend, registry: Registry) throws
        -> Workload
    {
        let model = try languageModel(cell: cell, on: backend, registry: registry)
        let session = try model.makeSession(streams: streams)
        var tokens = (0..<streams).map { ($0 * 7919) % 10_000 }
        return Workload(name: name, flops: try flops(of: model) * Double(streams)) {
            let rows = try session.step(tokens)
            for stream in tokens.indices { tokens[stream] = (tokens[stream] + (rows[stream][0] > 0 ? 1 : 3)) % 10_000 }
        }
    }

    /// Creates the workload `evaluate-CELL-bN`: the loss on 35 words of each of N streams, whose states are carried over
    /// (E 400, H 200, V 10,000).
    static func evaluation(_ name: String, cell: String, streams: Int, on backend: any Backend, registry: Registry)
        throws -> Workload
    {
        let model = try sequenceModel(cell: cell, on: backend, registry: registry)
        var random = RandomStream(RandomKey(seed: 1, purpose: .test))
        let rows = 35 * streams
        func words() -> [Int32] { (0..<rows).map { _ in Int32(random.integer(below: 10_000)) } }
        let (inputs, targets) = (words(), words())
        func batch(isFirst: Bool) -> Batch {
            Batch(steps: 35, size: streams, inputs: .tokens(inputs), targets: targets, startsSequences: isFirst)
        }
        _ = try model.evaluate(batch(isFirst: true))
        let next = batch(isFirst: false)
        let plan = try model.recurrentLayers[0].plan(training: false)
        let perRow = (plan.prelude + plan.forwardLoop).reduce(0) { $0 + $1.flopsPerRow }
        let flops = Double(rows) * (perRow + 2 * Double(plan.outputWidth * 10_000))
        return Workload(name: name, flops: flops) { _ = try model.evaluate(next) }
    }

    private static func languageModel(cell: String, on backend: any Backend, registry: Registry) throws -> TrainedModel
    {
        try TrainedModel(sequenceModel(cell: cell, on: backend, registry: registry))
    }

    private static func sequenceModel(cell: String, on backend: any Backend, registry: Registry) throws
        -> SequenceModel
    {
        var configuration = RunConfiguration(cell: PluginChoice(cell))
        configuration.model.embeddingSize = 400
        configuration.model.hiddenSize = 200
        configuration.model.tableInitialization = .languageModel
        configuration = try registry.resolve(configuration, locatesData: false)
        return try SequenceModel(
            cell: registry.makeCell(configuration), configuration: configuration.model,
            data: .languageModel(vocabulary: 10_000), on: backend, seed: 1)
    }

    /// The operations of a token's products: those of the state and the projection. The embedding's products with the
    /// input's weights are looked up.
    private static func flops(of model: TrainedModel) throws -> Double {
        let plan = try StepCompiler.compile(
            model.cell, inputWidth: model.configuration.embeddingSize, hiddenWidth: model.configuration.hiddenSize,
            training: false)
        return plan.forwardLoop.reduce(0) { $0 + $1.flopsPerRow } + 2 * Double(plan.outputWidth * model.data.classes)
    }
}
