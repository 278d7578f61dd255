import RecurrentCore

extension Workload {
    static let generationNames = ["rnn", "urnn", "gru", "ugru"].map { "generate-\($0)" }

    /// `generate-CELL`: one token of text, drawn from all words (E 400, H 200, V 10,000).
    ///
    /// Every weight is read once for a token, so memory's speed and not that of
    /// products bounds it: the ratio to the floor says little here.
    static func generation(_ name: String, cell: String, backend: any Backend, registry: Registry) throws -> Workload {
        var options = RunConfiguration()
        options.cell = cell
        options.useCorpusDefaults()
        let classes = 10_000
        let made = try registry.cells.find("cell", cell).make(registry.context(options))
        let model = try SequenceModel(
            cell: made, configuration: options.model, data: .languageModel(vocabulary: classes), backend: backend, seed: 1)
        let generator = try Generator(model, sampling: Sampling(), seed: 1)
        func weights(_ kind: CellParameter.Kind) -> Int { made.parameters.count { $0.kind == kind } }
        let hidden = options.hiddenSize
        let products = hidden * (weights(.inputWeight) * options.embeddingSize + weights(.recurrentWeight) * hidden + classes)
        var token = 0
        return Workload(name: name, flops: 2 * Double(products)) { token = try generator.next(after: token) }
    }
}
