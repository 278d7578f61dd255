import RecurrentCore

/// A run built from its configuration: the data, the model and the optimizer.
///
///     let run = try Run(opening: "runs/ugru", registry: .builtIn)
///     let test = try run.evaluate(.test)
///     print(test.meanLoss, test.accuracy)
public struct Run {
    /// The configuration, in which every option has a value.
    public let configuration: RunConfiguration
    /// The data, in the token ids of the run's vocabulary.
    public let dataset: any Dataset
    /// The model, with the initial weights of the seed or those that were loaded.
    public let model: SequenceModel
    /// The optimizer with its state, and the skew-symmetric parameters of orthogonal weights.
    public let updater: ParameterUpdater
    let schedule: any LearningRateSchedule
    let registry: Registry

    /// Creates a run whose model has the initial weights of its seed.
    ///
    /// - Parameters:
    ///   - configuration: the configuration, which the registry resolves.
    ///   - registry: the plug-ins.
    ///   - vocabulary: the tokens of an existing run, against which the data is read; nil for those of the data set.
    ///   - splits: the splits that will be used; the files of the others may be missing. Training uses all.
    /// - Throws: ``RecurrentCore/RecurrentError`` for a wrong option, a plug-in that isn't registered, data that can't be
    ///   read, or a device that isn't available.
    public init(
        _ configuration: RunConfiguration, registry: Registry, vocabulary: [String]? = nil,
        splits: Set<Split> = Split.all
    ) throws {
        let configuration = try registry.resolve(configuration)
        self.configuration = configuration
        self.registry = registry
        let backend = try registry.makeBackend(configuration)
        dataset = try registry.makeDataset(configuration, vocabulary: vocabulary, splits: splits)
        model = try SequenceModel(
            cell: try registry.makeCell(configuration), configuration: configuration.model, data: dataset.description,
            on: backend, seed: configuration.seed)
        let manifold = try registry.makeManifold(configuration)
        let skewInitialization = try registry.makeSkewInitialization(configuration)
        if configuration.training.freeze != nil {
            // The updater leaves frozen weights as they are.
            try ParameterInitializer(seed: model.seed, parameters: model.parameters, on: backend)
                .fillOrthogonalWeights(manifold: manifold, skewInitialization: skewInitialization)
        }
        updater = try ParameterUpdater(
            model: model, optimizer: try registry.makeOptimizer(configuration), manifold: manifold,
            skewInitialization: skewInitialization, configuration: configuration.training,
            measuresNorm: configuration.tracking.tensorboard, communicator: ProcessGroup.communicator)
        schedule = try registry.makeSchedule(configuration)
    }

    /// Opens a saved run with its best weights.
    ///
    /// - Parameters:
    ///   - path: the folder of the run.
    ///   - registry: the plug-ins.
    ///   - splits: the splits that will be used; the files of the others may be missing.
    ///   - changes: changes the configuration of the run, such as its backend.
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if a file is missing or damaged, and what
    ///   ``init(_:registry:vocabulary:splits:)`` throws.
    public init(
        opening path: String, registry: Registry, splits: Set<Split> = Split.all,
        changes: (inout RunConfiguration) throws -> Void = { _ in }
    ) throws {
        let folder = RunFolder(opening: path)
        var configuration = try folder.configuration()
        try folder.checkUnedited(folder.resolvedConfiguration(registry), registry: registry)
        try changes(&configuration)
        try self.init(configuration, registry: registry, vocabulary: folder.vocabulary(), splits: splits)
        try folder.loadModel(into: model)
    }

    /// Creates a new run that starts from the best weights of a saved one, whose cell may be another as long as its
    /// parameters have the same names and shapes.
    ///
    /// - Parameters:
    ///   - configuration: the configuration of the new run.
    ///   - path: the folder of the saved run.
    ///   - registry: the plug-ins.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` if the weights have other sizes than `configuration`,
    ///   and ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if they don't fit for another reason, such as a
    ///   weight that the cell keeps orthogonal and that isn't a rotation.
    public init(_ configuration: RunConfiguration, startingFrom path: String, registry: Registry) throws {
        let source = RunFolder(opening: path)
        try source.checkUnedited(source.resolvedConfiguration(registry), registry: registry)
        try configuration.checkSizes(of: source, registry)
        var configuration = configuration
        configuration.from = DataFolder.absolute(path)
        try self.init(configuration, registry: registry, vocabulary: source.vocabulary())
        do { try source.loadModel(into: model, ofAnyCell: true) } catch RecurrentError.checkpoint(let file, let reason)
        {
            throw RecurrentError.checkpoint(
                path: file, reason: reason + self.configuration.differingData(from: source, registry))
        }
        let manifold = try registry.makeManifold(self.configuration)
        try model.checkStarts(of: manifold, path: source.path, registry, except: Set(updater.frozenNames))
        let isAlike = try source.configuration().manifold?.name == manifold.name
        try updater.adoptWeights(
            savedIn: isAlike && source.hasState ? SafeTensors(path: source.file("state.safetensors")) : nil)
    }

    /// Returns the loss and the metric of a split with the model's current weights.
    ///
    /// - Parameters:
    ///   - split: the split to evaluate.
    ///   - batchSize: the number of sequences per batch; nil for the run's.
    /// - Throws: ``RecurrentCore/RecurrentError/dataset(_:)`` if the split has no batch of this size.
    public func evaluate(_ split: Split, batchSize: Int? = nil) throws -> LossSums {
        try model.evaluate(
            dataset, split: split,
            batchSize: batchSize ?? configuration.training.evaluationBatchSize ?? configuration.training.batchSize)
    }

    /// Creates a trainer for the run, which writes nothing and notifies only the given observers.
    ///
    /// - Parameters:
    ///   - observers: the observers of the training.
    ///   - shouldStop: returns whether to stop; called after each batch.
    /// - Throws: ``RecurrentCore/RecurrentError`` for options that don't fit the data.
    public func trainer(
        _ observers: [any TrainingObserver] = [], shouldStop: @escaping () -> Bool = { false }
    ) throws -> Trainer {
        try Trainer(
            model: model, dataset: dataset, updater: updater, schedule: schedule,
            tracksTest: configuration.tracking.trackTest, observers: observers, shouldStop: shouldStop)
    }
}
