import RecurrentCore

/// A run's language model and its words, without the corpus.
struct SavedLanguageModel {
    let options: RunConfiguration
    let model: SequenceModel
    let vocabulary: [String]
    let tokens: TokenForm

    /// - Parameters:
    ///   - directory: of the run.
    ///   - backend: the run's if nil.
    ///   - threads: the run's if nil.
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if the run is damaged, or
    ///   no language model's.
    init(_ directory: RunDirectory, backend: String? = nil, threads: Int? = nil, registry: Registry = .current) throws {
        var options = try directory.configuration()
        options.backend = backend ?? options.backend
        options.threads = threads ?? options.threads
        try options.validate()
        guard let words = try directory.vocabulary() else {
            throw RecurrentError.checkpoint(
                path: directory.path,
                reason: "there is no \(VocabularyFile.name): this is no run of a language model (train one with --dataset ptb)")
        }
        vocabulary = words
        // A run of a data set that isn't registered here can be generated from all the same.
        tokens = (try? registry.dataset(options.dataset))?.tokens ?? .words
        let context = registry.context(options)
        model = try SequenceModel(
            cell: try registry.cells.find("cell", options.cell).make(context), configuration: options.model,
            data: .languageModel(vocabulary: vocabulary.count),
            backend: try registry.backends.find("backend", options.backend).make(context), seed: options.seed)
        try directory.loadModel(into: model)
        self.options = options
    }
}

extension DatasetDescription {
    /// Each token predicts the next one; states carry over.
    static func languageModel(vocabulary: Int) -> DatasetDescription {
        DatasetDescription(
            inputs: .tokens(vocabulary: vocabulary), targets: .positionClass(classes: vocabulary), isContinuous: true,
            metric: .perplexity)
    }
}
