import RecurrentCore
import RecurrentRuns

extension Workload {
    static let generationNames = ["rnn", "urnn", "gru", "ugru"].map { "generate-\($0)" }

    /// Creates the workload `generate-CELL`: one token of text, drawn from all words (E 400, H 200, V 10,000).
    ///
    /// Every weight is read once per token, so the memory bandwidth rather than the rate of products limits the speed, and
    /// the ratio to the floor says little.
    static func generation(_ name: String, cell: String, on backend: any Backend, registry: Registry) throws -> Workload
    {
        var configuration = RunConfiguration(cell: PluginChoice(cell))
        configuration.model.embeddingSize = 400
        configuration.model.hiddenSize = 200
        configuration.model.tableInitialization = .languageModel
        configuration = try registry.resolve(configuration, locatesData: false)
        let classes = 10_000
        let made = try registry.makeCell(configuration)
        let model = try SequenceModel(
            cell: made, configuration: configuration.model, data: .languageModel(vocabulary: classes), on: backend,
            seed: 1)
        let generator = try Generator(model, sampling: Sampling(), seed: 1)
        func weights(_ kind: CellParameter.Kind) -> Int { made.parameters.count { $0.kind == kind } }
        let hidden = configuration.model.hiddenSize
        let products =
            hidden
            * (weights(.inputWeight) * configuration.model.embeddingSize + weights(.recurrentWeight) * hidden + classes)
        var token = 0
        return Workload(name: name, flops: 2 * Double(products)) { token = try generator.next(after: token) }
    }
}
