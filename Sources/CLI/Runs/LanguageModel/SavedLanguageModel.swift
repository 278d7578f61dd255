import RecurrentCore

/// The language model of a saved run with its vocabulary, which can be used without the corpus.
public struct SavedLanguageModel {
    /// The configuration of the run, with the requested changes.
    public let configuration: RunConfiguration
    /// The model with the run's best weights.
    public let model: SequenceModel
    /// The tokens in the order of their ids.
    public let vocabulary: [String]
    /// Whether the tokens are words or characters.
    public let tokens: TokenForm

    /// Opens the language model of a saved run.
    ///
    /// - Parameters:
    ///   - path: the folder of the run.
    ///   - registry: the plug-ins, which need not include the run's data set.
    ///   - changes: changes the configuration of the run, such as its backend.
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if the run is damaged, or isn't that of a
    ///   language model.
    public init(opening path: String, registry: Registry, changes: (inout RunConfiguration) throws -> Void = { _ in })
        throws
    {
        let folder = RunFolder(opening: path)
        var configuration = try folder.configuration()
        try folder.checkUnedited(folder.resolvedConfiguration(registry), registry: registry)
        try changes(&configuration)
        configuration = try registry.resolve(configuration, locatesData: false)
        guard let words = try folder.vocabulary() else {
            throw RecurrentError.checkpoint(
                path: folder.path,
                reason: registry.hasVocabulary(configuration.dataset.name)
                    ? "has no \(VocabularyFile.name), so its words are unknown; put the run's own file back, or import the model with its `vocabulary`"
                    : "there is no \(VocabularyFile.name): this isn't the run of a language model (train one with `dataset` ptb)"
            )
        }
        vocabulary = words
        tokens = registry.tokenForm(of: configuration.dataset.name).fitting(words)
        model = try SequenceModel(
            cell: try registry.makeCell(configuration), configuration: configuration.model,
            data: .languageModel(vocabulary: vocabulary.count), on: try registry.makeBackend(configuration),
            seed: configuration.seed)
        try folder.loadModel(into: model)
        self.configuration = configuration
    }
}

extension DatasetDescription {
    /// Returns the description of a corpus, in which each token predicts the next one and hidden states carry over between
    /// batches.
    ///
    /// - Parameter vocabulary: the number of tokens in the vocabulary.
    public static func languageModel(vocabulary: Int) -> DatasetDescription {
        DatasetDescription(
            inputs: .tokens(vocabulary: vocabulary), targets: .positionClass(classes: vocabulary), isContinuous: true,
            metric: .perplexity)
    }
}
