import RecurrentCore

/// A run put together from its configuration.
struct TrainingRun {
    /// With the names and folders filled in that were left to the plug-ins.
    let options: RunConfiguration
    let dataset: any Dataset
    let model: SequenceModel
    let updater: ParameterUpdater

    /// - Parameters:
    ///   - options: all of them.
    ///   - vocabulary: the words of a run that exists, in whose ids the data must come.
    init(_ options: RunConfiguration, vocabulary: [String]? = nil, registry: Registry = .current) throws {
        let context = registry.context(options)
        let cell = try registry.cells.find("cell", options.cell).make(context)
        let optimizer = try registry.optimizers.find("optimizer", options.optimizer).make(context)
        let manifold = try registry.manifolds.find("manifold update", options.manifold).make(context)
        let skew = try registry.skewInits.find("skew initialisation", options.skewInit).make(context)
        let backend = try registry.backends.find("backend", options.backend).make(context)
        let made = try registry.dataset(options.dataset).plugin.make(context)
        dataset = try vocabulary.map { try RenumberedCorpus.fitting(made, to: $0) } ?? made
        model = try SequenceModel(
            cell: cell, configuration: options.model, data: dataset.description, backend: backend, seed: options.seed)
        updater = try ParameterUpdater(
            model: model, optimizer: optimizer, manifold: manifold, skewInitialization: skew,
            settings: .init(
                recurrentClip: options.clipRecurrent,
                manifoldRateFactor: (options.manifoldLearningRate ?? options.learningRate) / options.learningRate,
                recurrentRateFactor: (options.recurrentLearningRate ?? options.learningRate) / options.learningRate,
                normClip: options.clipNorm,
                // AdamW has its own.
                weightDecay: optimizer.withoutWeightDecay.name == optimizer.name ? options.weightDecay ?? 0 : 0,
                measuresNorm: options.tensorboard))
        self.options = context.resolved
    }

    /// - Throws: what ``Trainer`` throws for settings that don't fit the data.
    func trainer(_ observers: [any TrainingObserver]) throws -> Trainer {
        try Trainer(
            model: model, dataset: dataset, updater: updater, settings: options.training, observers: observers,
            shouldStop: { Interruption.isRequested })
    }
}
