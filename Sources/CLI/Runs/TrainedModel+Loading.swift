import RecurrentCore

extension TrainedModel {
    /// Loads the best weights of a saved run, of any task and any cell that the registry knows.
    ///
    ///     let model = try TrainedModel.load("runs/ugru", registry: .builtIn, backend: CPUBackend())
    ///     let session = try model.makeSession(streams: 64)
    ///
    /// The registry needs no more than the run's cell and activation, its backend unless another is given, and its data set,
    /// which says what the model reads and predicts; its files aren't read. A language model of words doesn't need the data
    /// set either, as its vocabulary is in the folder.
    ///
    /// - Parameters:
    ///   - path: the folder of the run, which `cli train --output` or `cli import` wrote.
    ///   - registry: the plug-ins.
    ///   - backend: the backend that computes; nil for that of the run.
    /// - Returns: the model, with the vocabulary of a language model.
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if the folder holds no run, or a file is missing
    ///   or damaged, ``RecurrentCore/RecurrentError/unknownName(kind:name:known:)`` for a plug-in that isn't registered,
    ///   and what the backend throws.
    public static func load(_ path: String, registry: Registry, backend: (any Backend)? = nil) throws -> TrainedModel {
        try load(path, registry: registry, needsBackend: backend == nil) { configuration in
            try backend ?? registry.makeBackend(configuration)
        }
    }

    /// Loads the best weights of a saved run.
    ///
    /// - Parameters:
    ///   - path: the folder of the run.
    ///   - registry: the plug-ins.
    ///   - needsBackend: whether the run's backend must be registered.
    ///   - changes: changes the configuration of the run, such as its backend.
    ///   - makeBackend: returns the backend of a configuration.
    /// - Throws: what ``load(_:registry:backend:)`` throws.
    package static func load(
        _ path: String, registry: Registry, needsBackend: Bool = true,
        changes: (inout RunConfiguration) throws -> Void = { _ in },
        backend makeBackend: (RunConfiguration) throws -> any Backend
    ) throws -> TrainedModel {
        let folder = RunFolder(opening: path)
        var configuration = try folder.configuration()
        let kinds: Set<PluginKind> = needsBackend ? [.backend] : []
        func resolved() throws -> RunConfiguration {
            do { return try registry.resolve(configuration, locatesData: false, needing: kinds) } catch let error
                as RecurrentError
            {
                throw error.about(configuration: folder.file("config.json"))
            }
        }
        try folder.checkUnedited(resolved(), registry: registry)
        try changes(&configuration)
        configuration = try resolved()
        let form = registry.tokenForm(of: configuration.dataset.name)
        let vocabulary = try folder.vocabulary().map { Vocabulary($0, form: form) }
        let data: DatasetDescription
        if let vocabulary {
            data = .languageModel(vocabulary: vocabulary.count)
        } else if registry.hasVocabulary(configuration.dataset.name) {
            throw RecurrentError.checkpoint(
                path: folder.path,
                reason:
                    "has no \(VocabularyFile.name), so its words are unknown; put the run's own file back, or import the model with its `vocabulary`"
            )
        } else {
            data = try registry.makeDataset(configuration, splits: []).description
        }
        return try TrainedModel(
            weights: folder.weightsFile(), cell: registry.makeCell(configuration), configuration: configuration.model,
            data: data, vocabulary: vocabulary, on: makeBackend(configuration))
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
