/// Trains a model on a data set: epochs, validation, early stopping, best-so-far
/// weights, and a test at the end.
///
///     let trainer = try Trainer(model: model, dataset: recall, updater: updater)
///     let summary = try trainer.run()
public final class Trainer {
    /// The model being trained; it holds the best weights after ``run()``.
    public let model: SequenceModel
    /// The data set that the model is trained on.
    public let dataset: any Dataset
    /// The updater of the model's parameters.
    public let updater: ParameterUpdater
    /// The updater's configuration: the learning rates, the batch sizes, and when training ends.
    public var configuration: TrainingConfiguration { updater.configuration }
    /// The rule by which the learning rate changes.
    public let schedule: any LearningRateSchedule
    /// Whether the test split is evaluated after each epoch; the result is reported, but
    /// nothing is chosen by it.
    public let tracksTest: Bool
    let checkpointInterval: CheckpointInterval?
    /// The progress of the run; ``restore(from:best:)`` sets it to that of a saved one.
    public internal(set) var progress = TrainingProgress()
    /// The weights of the best epoch, once one is finished.
    var bestWeights: [Float]?
    let sharded: ShardedModel
    let observers: [any TrainingObserver]
    let shouldStop: () -> Bool
    let clock = ContinuousClock()
    private lazy var lastCheckpoint = clock.now

    /// Creates a trainer for one run.
    ///
    /// - Parameters:
    ///   - model: the model to train; it holds the best weights at the end.
    ///   - dataset: the data set to train on; it must fit the description that the model was built from.
    ///   - updater: the updater of this model's parameters, whose configuration also holds the batch
    ///     sizes and when training ends. Where it has a communicator, each of the ranks runs a trainer of the same
    ///     run: the first one with the observers, the others with none but a ``GradientTracker`` if there is one.
    ///   - schedule: the rule by which the learning rate changes.
    ///   - tracksTest: whether the test split is evaluated after each epoch.
    ///   - observers: the objects that are informed of the run's events, in this order.
    ///   - shouldStop: called after each batch; if it returns true, the run ends cleanly.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for an option out of range,
    ///   ``RecurrentError/dataset(_:)`` if a split has no batch of this size.
    public init(
        model: SequenceModel, dataset: any Dataset, updater: ParameterUpdater,
        schedule: any LearningRateSchedule = ConstantSchedule(), tracksTest: Bool = false,
        observers: [any TrainingObserver] = [], shouldStop: @escaping () -> Bool = { false }
    ) throws {
        let configuration = updater.configuration
        try schedule.check(learningRate: configuration.learningRate)
        let evaluated = configuration.evaluationBatchSize ?? configuration.batchSize
        try BatchSizes(
            wanted: [
                (.train, "batchSize", configuration.batchSize), (.valid, "evaluationBatchSize", evaluated),
                (.test, "evaluationBatchSize", evaluated),
            ]
        ).check(dataset)
        self.schedule = schedule
        self.tracksTest = tracksTest
        checkpointInterval = configuration.checkpointEvery.flatMap(CheckpointInterval.init(text:))
        self.model = model
        sharded = try ShardedModel(model, shards: configuration.shards, updater)
        self.dataset = dataset
        self.updater = updater
        self.observers = observers
        self.shouldStop = shouldStop
    }

    var batchesPerEpoch: Int {
        let all = dataset.batchCount(.train, batchSize: configuration.batchSize)
        return min(all, configuration.batchesPerEpoch ?? all)
    }

    /// Trains the model, then tests the best weights, which the model holds afterwards. A
    /// run that was restored continues where it stood.
    ///
    /// - Returns: a summary of the run.
    /// - Throws: ``RecurrentError/diverged(step:loss:)`` if the loss is no longer finite,
    ///   after the observers have seen the best weights so far.
    public func run() throws -> TrainingSummary {
        let start = clock.now, secondsBefore = progress.runSeconds
        lastCheckpoint = start
        try updater.shareValues()
        let plan = TrainingPlan(
            epochs: configuration.epochs, batchesPerEpoch: batchesPerEpoch, batchSize: configuration.batchSize,
            parameterCount: model.parameters.count, metric: model.data.metric)
        for observer in observers { try observer.trainingWillStart(plan) }

        // The previous session may have ended after writing its checkpoint but before its best weights.
        if progress.isAtBest { try keepBest() }
        var end = endOfRun()
        while end == nil {
            end = try trainEpoch(since: start, secondsBefore)
            if end != nil { break }
            let validation = try evaluate(.valid)
            guard validation.meanLoss.isFinite else {
                end = .diverged(step: updater.step, loss: validation.meanLoss)
                break
            }
            let record = EpochRecord(
                epoch: progress.epoch, step: updater.step, train: progress.sums, validation: validation,
                test: tracksTest ? try evaluate(.test) : nil, trainSeconds: progress.seconds,
                sequencesPerSecond: Double(progress.sequences) / max(progress.seconds, 1e-9),
                learningRate: progress.learningRate,
                isBest: validation.meanLoss < (progress.best?.validation.meanLoss ?? .infinity))
            progress.finishEpoch(record)
            progress.runSeconds = secondsBefore + (clock.now - start).inSeconds
            for observer in observers { try observer.didFinishEpoch(record) }
            try reachCheckpoint()
            if record.isBest { try keepBest() }
            end = endOfRun()
        }

        var test: LossSums?
        if let bestWeights {
            model.restore(bestWeights)
            let sums = try evaluate(.test)
            if !sums.meanLoss.isFinite { end = .diverged(step: progress.best!.step, loss: sums.meanLoss) }
            test = sums
        }
        progress.runSeconds = secondsBefore + (clock.now - start).inSeconds
        let summary = TrainingSummary(
            end: end!, epochs: progress.records, best: progress.best, test: test, seconds: progress.runSeconds)
        for observer in observers { try observer.trainingDidEnd(summary, model: model) }
        if case .diverged(let step, let loss) = end { throw RecurrentError.diverged(step: step, loss: loss) }
        return summary
    }

    /// Returns why the run ends after the finished epochs, or nil if it continues.
    private func endOfRun() -> TrainingEnd? {
        guard let last = progress.records.last, let best = progress.best else { return nil }
        if let bound = configuration.stopLoss, last.validation.meanLoss < bound { return .lossReached(bound) }
        if let patience = configuration.patience, last.epoch - best.epoch >= patience { return .patience(patience) }
        return last.epoch >= configuration.epochs ? .epochs : nil
    }

    private func keepBest() throws {
        bestWeights = model.snapshot()
        updater.keepPoints()
        for observer in observers { try observer.didImprove(progress.best!, model: model) }
    }

    /// The current state of the run, which must be saved before the run continues.
    public var checkpoint: TrainingCheckpoint { TrainingCheckpoint(progress: progress, trainer: self) }

    /// Lets the observers save the run as it is, with the same parameters in all processes.
    ///
    /// - Throws: what they throw.
    package func save() throws {
        try updater.shareValues()
        try reachCheckpoint()
    }

    func reachCheckpoint() throws {
        lastCheckpoint = clock.now
        guard updater.communicator.rank == 0 else { return try sendState() }
        let checkpoint = checkpoint
        for observer in observers { try observer.didReachCheckpoint(checkpoint) }
        try tellSaved()
    }

    /// Whether the number of updates says that the run is to be saved.
    var isNumberedToSave: Bool {
        guard case .steps(let count)? = checkpointInterval else { return false }
        return updater.step % count == 0
    }

    /// Whether the time says that the run is to be saved.
    var isTimeToSave: Bool {
        guard case .seconds(let seconds)? = checkpointInterval else { return false }
        return (clock.now - lastCheckpoint).inSeconds >= seconds
    }

    /// Evaluates a whole split with the model's present weights, without dropout.
    ///
    /// - Returns: the sums over all targets of the split.
    /// - Throws: ``RecurrentError`` if a batch can't be read or evaluated.
    public func evaluate(_ split: Split) throws -> LossSums {
        try sharded.evaluate(
            dataset, split: split, batchSize: configuration.evaluationBatchSize ?? configuration.batchSize)
    }
}

extension SequenceModel {
    /// Evaluates a whole split of a data set, without dropout.
    ///
    /// - Returns: the sums over all targets of the split.
    /// - Throws: ``RecurrentError/dataset(_:)`` if the split has no batch of this size, or
    ///   what the data set or the backend throws.
    public func evaluate(_ dataset: any Dataset, split: Split, batchSize: Int) throws -> LossSums {
        try BatchSizes(wanted: [(split, "batchSize", batchSize)]).check(dataset)
        var losses = LateLosses()
        for index in 0..<dataset.batchCount(split, batchSize: batchSize) {
            try losses.add(startEvaluation(dataset.batch(split, epoch: 0, index: index, batchSize: batchSize)))
        }
        return try losses.finish().reduce(into: LossSums()) { $0 += $1 }
    }
}

extension Duration {
    /// The duration in seconds.
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
