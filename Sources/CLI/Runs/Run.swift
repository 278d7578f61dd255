import RecurrentCore

/// A run put together from its configuration: data, model and optimizer.
///
///     let run = try Run(opening: "runs/ugru", registry: .builtIn)
///     let test = try run.evaluate(.test)
///     print(test.meanLoss, test.accuracy)
public struct Run {
    /// Resolved: every option has a value.
    public let configuration: RunConfiguration
    /// The data, in the ids of the run's vocabulary.
    public let dataset: any Dataset
    /// The model; it holds the weights of the seed, or those that were loaded.
    public let model: SequenceModel
    /// The optimizer's state, and the skew parameters.
    public let updater: ParameterUpdater
    let schedule: any LearningRateSchedule
    let registry: Registry

    /// A run that holds the weights of its seed.
    ///
    /// - Parameters:
    ///   - configuration: what is asked for; the registry resolves it.
    ///   - registry: the plug-ins.
    ///   - vocabulary: the words of a run that exists, in whose ids the data must come.
    /// - Throws: ``RecurrentCore/RecurrentError`` for an option that is wrong, a plug-in that
    ///   isn't registered, data that can't be read, or a device that isn't there.
    public init(_ configuration: RunConfiguration, registry: Registry, vocabulary: [String]? = nil) throws {
        let configuration = try registry.resolve(configuration)
        self.configuration = configuration
        self.registry = registry
        let backend = try registry.makeBackend(configuration)
        let made = try registry.makeDataset(configuration)
        dataset = try vocabulary.map { try RenumberedCorpus.fitting(made, to: $0) } ?? made
        model = try SequenceModel(
            cell: try registry.makeCell(configuration), configuration: configuration.model, data: dataset.description,
            on: backend, seed: configuration.seed)
        updater = try ParameterUpdater(
            model: model, optimizer: try registry.makeOptimizer(configuration),
            manifold: try registry.makeManifold(configuration),
            skewInitialization: try registry.makeSkewInitialization(configuration),
            configuration: configuration.training,
            measuresNorm: configuration.tracking.tensorboard)
        schedule = try registry.makeSchedule(configuration)
    }

    /// A saved run with its best weights.
    ///
    /// - Parameters:
    ///   - path: the run's folder.
    ///   - registry: the plug-ins.
    ///   - changes: what to change in its configuration, such as the backend.
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if a file is missing
    ///   or damaged, and what ``init(_:registry:vocabulary:)`` throws.
    public init(opening path: String, registry: Registry, changes: (inout RunConfiguration) throws -> Void = { _ in })
        throws
    {
        let folder = RunFolder(opening: path)
        var configuration = try folder.configuration()
        try changes(&configuration)
        try self.init(configuration, registry: registry, vocabulary: folder.vocabulary())
        try folder.loadModel(into: model)
    }

    /// A new run that starts from the weights of a saved one.
    ///
    /// - Parameters:
    ///   - configuration: of the new run.
    ///   - path: the folder of the saved one.
    ///   - registry: the plug-ins.
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if the weights don't fit.
    public init(_ configuration: RunConfiguration, startingFrom path: String, registry: Registry) throws {
        let source = RunFolder(opening: path)
        var configuration = configuration
        configuration.from = DataFolder.absolute(path)
        try self.init(configuration, registry: registry, vocabulary: source.vocabulary())
        try source.loadModel(into: model)
        try updater.adoptWeights()
    }

    /// Loss and metric of a split with the weights that the model holds.
    ///
    /// - Parameters:
    ///   - split: train, valid or test.
    ///   - batchSize: nil for the run's.
    /// - Throws: ``RecurrentCore/RecurrentError/dataset(_:)`` if the split has no batch of this size.
    public func evaluate(_ split: Split, batchSize: Int? = nil) throws -> LossSums {
        try model.evaluate(
            dataset, split: split,
            batchSize: batchSize ?? configuration.training.evaluationBatchSize ?? configuration.training.batchSize)
    }

    /// What trains the run, told to nobody but these observers.
    ///
    /// - Throws: what ``RecurrentCore/Trainer`` throws for options that don't fit the data.
    public func trainer(
        _ observers: [any TrainingObserver] = [], shouldStop: @escaping () -> Bool = { false }
    ) throws -> Trainer {
        try Trainer(
            model: model, dataset: dataset, updater: updater, schedule: schedule,
            tracksTest: configuration.tracking.trackTest, observers: observers, shouldStop: shouldStop)
    }
}
