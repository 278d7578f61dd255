import RecurrentCore

extension Run {
    /// Trains the run from its beginning and writes it into a folder.
    ///
    /// - Parameters:
    ///   - output: the folder; nil to keep nothing.
    ///   - overwrite: whether another run in it may be replaced.
    ///   - observers: told of everything, before what writes.
    ///   - shouldStop: asked after each batch; true ends the run, to be resumed.
    /// - Returns: what came out; of a run that diverged, too.
    /// - Throws: ``RecurrentCore/RecurrentError`` if the folder can't be written.
    public func train(
        output: String? = nil, overwrite: Bool = false, observers: [any TrainingObserver] = [],
        shouldStop: @escaping () -> Bool = { false }
    ) throws -> TrainingSummary {
        // Before training, so that nobody waits for an hour to learn that nothing
        // can be written; after all else, so that a mistake replaces no older run.
        _ = try trainer()
        let folder = try output.map { try RunFolder(creating: $0, configuration, overwrite: overwrite) }
        try folder?.writeDataFiles(dataset)
        return try train(in: folder, observers: observers, shouldStop: shouldStop) { try $1?.begin($0) }
    }

    /// Resumes the run in a folder: it ends with the bits of a run that was never stopped.
    ///
    /// - Parameters:
    ///   - path: the folder.
    ///   - registry: the plug-ins.
    ///   - changes: makes of its configuration the one to resume with; what its state depends
    ///     on can't change.
    ///   - observers: told of everything.
    ///   - shouldStop: asked after each batch.
    /// - Returns: the run, and what came out.
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if the folder doesn't
    ///   hold a run that fits, ``RecurrentCore/RecurrentError/file(path:reason:)`` if another
    ///   process trains it.
    public static func resume(
        _ path: String, registry: Registry, changes: (RunConfiguration) throws -> RunConfiguration = { $0 },
        observers: (Run) -> [any TrainingObserver] = { _ in [] }, shouldStop: @escaping () -> Bool = { false },
        willStart: (Int) -> Void = { _ in }
    ) throws -> (run: Run, summary: TrainingSummary) {
        let folder = try RunFolder(resuming: path)
        let saved = try folder.resolvedConfiguration(registry)
        let wanted = try changes(saved)
        try saved.checkResumable(as: wanted, registry: registry)
        let run = try Run(wanted, registry: registry, vocabulary: folder.vocabulary())
        let summary = try run.train(in: folder, observers: observers(run), shouldStop: shouldStop) { trainer, log in
            try log!.resume(trainer)
            willStart(trainer.updater.step)
        }
        return (run, summary)
    }

    private func train(
        in folder: RunFolder?, observers: [any TrainingObserver], shouldStop: @escaping () -> Bool,
        start: (Trainer, MetricsLog?) throws -> Void
    ) throws -> TrainingSummary {
        let keeper = SummaryKeeper(), log = folder.map { MetricsLog($0, configuration, registry: registry) }
        var all = observers
        if let log { all.insert(log, at: 0) }
        all.append(keeper)
        let tracking = configuration.tracking
        if tracking.tensorboard, let folder {
            all.append(TensorBoardLog(in: folder.path, model: model, updater: updater))
        }
        if tracking.trackGradients > 0 || !tracking.trackEpochs.isEmpty {
            all.append(
                GradientTracker(
                    every: tracking.trackGradients > 0 ? tracking.trackGradients : nil,
                    epochs: Set(tracking.trackEpochs), model: model,
                    dataset: dataset, batchSize: configuration.training.batchSize, observers: all))
        }
        let trainer = try trainer(all, shouldStop: shouldStop)
        try start(trainer, log)
        do {
            return try trainer.run()
        } catch RecurrentError.diverged {
            return keeper.summary!
        }
    }
}

extension RunFolder {
    /// The run's configuration with a value for every option; its data may lie elsewhere now.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if it is missing,
    ///   damaged, or has a value out of range.
    public func resolvedConfiguration(_ registry: Registry) throws -> RunConfiguration {
        do {
            return try registry.resolve(configuration(), locatesData: false)
        } catch RecurrentError.invalidOption(let reason) {
            throw RecurrentError.checkpoint(path: file("config.json"), reason: reason)
        }
    }
}

/// Keeps the summary of a run that ends with an error too.
private final class SummaryKeeper: TrainingObserver {
    var acceptsLateBatches: Bool { true }
    private(set) var summary: TrainingSummary?
    func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws { self.summary = summary }
}
