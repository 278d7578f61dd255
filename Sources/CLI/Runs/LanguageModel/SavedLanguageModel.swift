import RecurrentCore

/// A run's language model and its words, without the corpus.
public struct SavedLanguageModel {
    /// Of the run.
    public let configuration: RunConfiguration
    /// With the run's best weights.
    public let model: SequenceModel
    /// The tokens, in the order of their ids.
    public let vocabulary: [String]
    /// What the tokens are.
    public let tokens: TokenForm

    /// - Parameters:
    ///   - path: the run's folder.
    ///   - registry: the plug-ins; the run's data set need not be among them.
    ///   - changes: what to change in its configuration, such as the backend.
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if the run is
    ///   damaged, or no language model's.
    public init(opening path: String, registry: Registry, changes: (inout RunConfiguration) throws -> Void = { _ in })
        throws
    {
        let folder = RunFolder(opening: path)
        var configuration = try folder.configuration()
        try changes(&configuration)
        configuration = try registry.resolve(configuration, locatesData: false)
        guard let words = try folder.vocabulary() else {
            throw RecurrentError.checkpoint(
                path: folder.path,
                reason:
                    "there is no \(VocabularyFile.name): this is no run of a language model (train one with `dataset` ptb)"
            )
        }
        vocabulary = words
        tokens = registry.tokenForm(of: configuration.dataset.name)
        model = try SequenceModel(
            cell: try registry.makeCell(configuration), configuration: configuration.model,
            data: .languageModel(vocabulary: vocabulary.count), on: try registry.makeBackend(configuration),
            seed: configuration.seed)
        try folder.loadModel(into: model)
        self.configuration = configuration
    }
}

extension DatasetDescription {
    /// Each token predicts the next one; states carry over.
    ///
    /// - Parameter vocabulary: how many tokens there are.
    public static func languageModel(vocabulary: Int) -> DatasetDescription {
        DatasetDescription(
            inputs: .tokens(vocabulary: vocabulary), targets: .positionClass(classes: vocabulary), isContinuous: true,
            metric: .perplexity)
    }
}
