import RecurrentCore

extension Run {
    /// Trains the run from its beginning, and writes it into a folder.
    ///
    /// - Parameters:
    ///   - output: the folder; nil to keep nothing.
    ///   - overwrite: whether a run that the folder already holds may be replaced.
    ///   - observers: the observers of the training, notified after metrics and checkpoints have been written.
    ///   - shouldStop: returns whether to stop; called after each batch. A run in a folder can then be resumed.
    /// - Returns: the summary of the training, even if it diverged.
    /// - Throws: ``RecurrentCore/RecurrentError`` if the folder can't be written, or an option doesn't fit the data.
    public func train(
        output: String? = nil, overwrite: Bool = false, observers: [any TrainingObserver] = [],
        shouldStop: @escaping () -> Bool = { false }
    ) throws -> TrainingSummary {
        // The folder is created before training, so that a folder that can't be written is reported at once, but after
        // all other checks, so that a mistake doesn't replace an older run.
        try ProcessGroup.together { _ = try trainer() }
        try ProcessGroup.checkAlike(self, in: output)
        let prepared = try ProcessGroup.together {
            let folder =
                try isFirst ? output.map { try RunFolder(creating: $0, configuration, overwrite: overwrite) } : nil
            try folder?.writeDataFiles(dataset)
            return try Prepared(self, in: folder, observers: observers, shouldStop: shouldStop) { try $1?.begin() }
        }
        return try train(prepared)
    }

    /// Resumes the run in a folder; it ends with bit-for-bit the same results as a run that was never stopped.
    ///
    /// - Parameters:
    ///   - path: the folder of the run.
    ///   - registry: the plug-ins.
    ///   - changes: returns the configuration to resume with, given that of the run; options that the saved state depends
    ///     on must not change.
    ///   - observers: returns the observers of the training.
    ///   - shouldStop: returns whether to stop; called after each batch. The run can then be resumed again.
    ///   - willStart: called before training continues, with the number of updates made so far.
    /// - Returns: the run, and the summary of its training.
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if the folder holds no run that can be resumed,
    ///   ``RecurrentCore/RecurrentError/invalidOption(_:)`` if an option must not change, and
    ///   ``RecurrentCore/RecurrentError/file(path:reason:)`` if another process trains the run.
    public static func resume(
        _ path: String, registry: Registry, changes: (RunConfiguration) throws -> RunConfiguration = { $0 },
        observers: (Run) -> [any TrainingObserver] = { _ in [] }, shouldStop: @escaping () -> Bool = { false },
        willStart: (Int) -> Void = { _ in }
    ) throws -> (run: Run, summary: TrainingSummary) {
        let (folder, run) = try ProcessGroup.together {
            let isFirst = ProcessGroup.communicator.rank == 0
            let folder = try isFirst ? RunFolder(resuming: path) : RunFolder(opening: path)
            let saved = try folder.resolvedConfiguration(registry)
            try folder.checkUnedited(saved, registry: registry)
            let wanted = try changes(saved)
            try saved.checkResumable(as: wanted, registry: registry)
            try folder.checkEpochs(saved, wanted)
            // Without a state the run starts again, with the words of its data.
            let run = try Run(wanted, registry: registry, vocabulary: folder.hasState ? folder.vocabulary() : nil)
            return (folder, run)
        }
        // Nothing in the folder has changed so far.
        try ProcessGroup.checkAlike(run, in: path, by: "resume")
        let prepared = try ProcessGroup.together {
            try Prepared(run, in: folder, observers: observers(run), shouldStop: shouldStop) { trainer, log in
                if let log { try log.resume(trainer) } else if folder.hasState { _ = try folder.restore(trainer) }
                willStart(trainer.updater.step)
            }
        }
        return (prepared.run, try prepared.run.train(prepared))
    }

    /// Whether this process writes the run's folder.
    private var isFirst: Bool { updater.communicator.rank == 0 }

    /// A run that is about to start.
    private struct Prepared {
        let run: Run
        let trainer: Trainer
        let keeper = SummaryKeeper()

        /// Creates the trainer with all its observers; of several processes, only the first one's tell somebody.
        init(
            _ run: Run, in folder: RunFolder?, observers: [any TrainingObserver], shouldStop: @escaping () -> Bool,
            start: (Trainer, MetricsLog?) throws -> Void
        ) throws {
            self.run = run
            let log = run.isFirst ? folder.map { MetricsLog($0, run) } : nil
            var all = run.isFirst ? observers : []
            if let log { all.insert(log, at: 0) }
            all.append(keeper)
            let tracking = run.configuration.tracking
            if tracking.tensorboard, run.isFirst, let folder {
                all.append(TensorBoardLog(in: folder.path, model: run.model, updater: run.updater))
            }
            if tracking.trackGradients > 0 || !tracking.trackEpochs.isEmpty {
                all.append(
                    GradientTracker(
                        every: tracking.trackGradients > 0 ? tracking.trackGradients : nil,
                        epochs: Set(tracking.trackEpochs), model: run.model,
                        dataset: run.dataset, batchSize: run.configuration.training.batchSize,
                        shards: run.configuration.training.shards, communicator: run.updater.communicator,
                        observers: all))
            }
            trainer = try run.trainer(all, shouldStop: shouldStop)
            try start(trainer, log)
        }
    }

    private func train(_ prepared: Prepared) throws -> TrainingSummary {
        // The start of a run from other weights than those of its seed could not be reproduced otherwise.
        if configuration.from != nil, prepared.trainer.updater.step == 0 { try prepared.trainer.save() }
        do {
            return try prepared.trainer.run()
        } catch RecurrentError.diverged {
            return prepared.keeper.summary!
        }
    }
}

extension RunFolder {
    /// The number of epochs that the run has finished, by its metrics.
    package var trainedEpochs: Int {
        MetricsRecord.last(path).filter { $0.split == .valid }.map(\.epoch).max() ?? 0
    }

    /// Restores a trainer from the state in the folder.
    ///
    /// - Returns: the strings that were saved with the state.
    func restore(_ trainer: Trainer) throws -> [String: String] {
        do {
            return try trainer.restore(from: file("state.safetensors"), best: file("model.safetensors"))
        } catch RecurrentError.checkpoint(let path, let reason) {
            throw RecurrentError.checkpoint(
                path: path,
                reason:
                    "\(reason); put the run's own file back, or train anew with `output` (`from` takes weights over)")
        }
    }

    /// Checks that a resumed run has something to do, or that nothing else changes.
    fileprivate func checkEpochs(_ saved: RunConfiguration, _ wanted: RunConfiguration) throws {
        let trained = trainedEpochs
        if wanted.training.epochs < min(trained, saved.training.epochs) {
            throw RecurrentError.invalidOption(
                "`epochs` must be at least \(trained), which this run already has, not \(wanted.training.epochs)")
        }
        let own = Set(TrainingConfiguration.options.map(\.name)).union(wanted.schedule.options.keys)
        if trained > 0, wanted.training.epochs <= trained,
            let change = saved.changes(to: wanted).first(where: { own.contains($0.name) && $0.name != "epochs" })
        {
            throw RecurrentError.invalidOption(
                "`\(change.name)` would change nothing: this run already has its \(trained) epoch\(trained == 1 ? "" : "s"); raise `epochs`, or leave it out"
            )
        }
    }

    /// Returns the run's configuration with a value for every option, without searching for its data, which may have been
    /// moved.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if the file is missing or damaged, or has a
    ///   value out of range.
    public func resolvedConfiguration(_ registry: Registry) throws -> RunConfiguration {
        do {
            return try registry.resolve(configuration(), locatesData: false)
        } catch let error as RecurrentError {
            throw error.about(configuration: file("config.json"))
        }
    }

    /// Checks that an edited `config.json` differs from the configuration of the saved state only in options that a resumed
    /// run may change: with others, the weights would mean something else.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)``, naming the option to set back.
    func checkUnedited(_ configuration: RunConfiguration, registry: Registry) throws {
        // A state that is missing or damaged is another matter, which is reported when it is read.
        guard let before = try? MetricsLog.configuration(ofStateIn: self),
            let trained = try? registry.resolve(before, locatesData: false),
            let change = trained.fixedChange(to: configuration, registry: registry)
        else { return }
        throw RecurrentError.invalidOption(
            "`\(change.name)` is \(change.new?.text ?? "not set"), but the run was begun with \(change.old?.text ?? "none"); set it back, or start a new run"
        ).about(configuration: file("config.json"))
    }
}

/// An observer that keeps the summary of a run, even if the run diverges.
private final class SummaryKeeper: TrainingObserver {
    var acceptsLateBatches: Bool { true }
    private(set) var summary: TrainingSummary?
    func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws { self.summary = summary }
}
