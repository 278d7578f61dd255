/// Trains a model on a data set: epochs, validation, early stopping, best-so-far
/// weights, and a test at the end.
///
///     let trainer = try Trainer(model: model, dataset: recall, updater: updater, settings: .init(learningRate: 1e-3))
///     let summary = try trainer.run()
public final class Trainer {
    public struct Settings: Sendable {
        public var epochs: Int
        public var batchSize: Int
        /// Of validation and test; the same as `batchSize` if nil.
        public var evaluationBatchSize: Int?
        public var learningRate: Double
        /// Stop after this many epochs without a better validation loss; nil: never.
        public var patience: Int?
        /// Stop once the validation loss is below; nil: never.
        public var stopLoss: Double?
        /// At most this many training batches per epoch; nil: all.
        public var batchesPerEpoch: Int?

        public init(
            epochs: Int = 200, batchSize: Int = 100, evaluationBatchSize: Int? = nil, learningRate: Double = 1e-3,
            patience: Int? = nil, stopLoss: Double? = nil, batchesPerEpoch: Int? = nil
        ) {
            self.epochs = epochs
            self.batchSize = batchSize
            self.evaluationBatchSize = evaluationBatchSize
            self.learningRate = learningRate
            self.patience = patience
            self.stopLoss = stopLoss
            self.batchesPerEpoch = batchesPerEpoch
        }
    }

    public let model: SequenceModel
    public let dataset: any Dataset
    public let updater: ParameterUpdater
    public let settings: Settings
    private let observers: [any TrainingObserver]
    private let shouldStop: () -> Bool

    /// - Parameters:
    ///   - model: what is trained; it holds the best weights in the end.
    ///   - dataset: must fit the model's description.
    ///   - updater: made for this model.
    ///   - settings: how long, and in what steps.
    ///   - observers: told of everything, in this order.
    ///   - shouldStop: asked after each batch; true ends the run cleanly.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for a setting out of range,
    ///   ``RecurrentError/dataset(_:)`` if a split has no batch of this size.
    public init(
        model: SequenceModel, dataset: any Dataset, updater: ParameterUpdater, settings: Settings,
        observers: [any TrainingObserver] = [], shouldStop: @escaping () -> Bool = { false }
    ) throws {
        func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
            if !condition { throw RecurrentError.invalidOption(message()) }
        }
        try check(settings.epochs >= 1, "the number of epochs must be at least 1, not \(settings.epochs)")
        try check(settings.batchSize >= 1, "the batch size must be at least 1, not \(settings.batchSize)")
        try check(
            settings.learningRate > 0 && settings.learningRate.isFinite,
            "the learning rate must be above 0, not \(settings.learningRate)")
        try check(settings.patience ?? 1 >= 1, "the patience must be at least 1, not \(settings.patience ?? 0)")
        for split in Split.allCases {
            let size = split == .train ? settings.batchSize : settings.evaluationBatchSize ?? settings.batchSize
            guard dataset.batchCount(split, batchSize: size) > 0 else {
                throw RecurrentError.dataset(
                    "\(dataset.name): its \(split.rawValue) split is too small for one batch of \(size); choose a smaller --batch-size")
            }
        }
        self.model = model
        self.dataset = dataset
        self.updater = updater
        self.settings = settings
        self.observers = observers
        self.shouldStop = shouldStop
    }

    private var batchesPerEpoch: Int {
        let all = dataset.batchCount(.train, batchSize: settings.batchSize)
        return min(all, settings.batchesPerEpoch ?? all)
    }

    /// Trains, then tests the best weights, which the model holds afterwards.
    ///
    /// - Throws: ``RecurrentError/diverged(step:loss:)`` if the loss is no number
    ///   any more, after the observers have seen the best weights so far.
    public func run() throws -> TrainingSummary {
        let clock = ContinuousClock()
        let start = clock.now
        let plan = TrainingPlan(
            epochs: settings.epochs, batchesPerEpoch: batchesPerEpoch, batchSize: settings.batchSize,
            parameterCount: model.parameters.count, metric: model.data.metric)
        for observer in observers { try observer.trainingWillStart(plan) }

        var records: [EpochRecord] = []
        var best: (record: EpochRecord, weights: [Float])?
        var end = TrainingEnd.epochs
        for epoch in 1...settings.epochs {
            let result = try trainEpoch(epoch)
            if let stop = result.end {
                end = stop
                break
            }
            let validation = try evaluate(.valid)
            guard validation.meanLoss.isFinite else {
                end = .diverged(step: updater.step, loss: validation.meanLoss)
                break
            }
            let isBest = validation.meanLoss < (best?.record.validation.meanLoss ?? .infinity)
            let record = EpochRecord(
                epoch: epoch, step: updater.step, train: result.sums, validation: validation,
                trainSeconds: result.seconds,
                sequencesPerSecond: Double(result.sequences) / max(result.seconds, 1e-9),
                learningRate: settings.learningRate, isBest: isBest)
            records.append(record)
            if isBest { best = (record, model.snapshot()) }
            for observer in observers {
                if isBest { try observer.didImprove(record, model: model) }
                try observer.didFinishEpoch(record)
            }
            if let bound = settings.stopLoss, validation.meanLoss < bound {
                end = .lossReached(bound)
                break
            }
            if let patience = settings.patience, epoch - (best?.record.epoch ?? 0) >= patience {
                end = .patience(patience)
                break
            }
        }

        var test: LossSums?
        if let best {
            model.restore(best.weights)
            test = try evaluate(.test)
        }
        let summary = TrainingSummary(
            end: end, epochs: records, best: best?.record, test: test, seconds: (clock.now - start).inSeconds)
        for observer in observers { try observer.trainingDidEnd(summary, model: model) }
        if case .diverged(let step, let loss) = end { throw RecurrentError.diverged(step: step, loss: loss) }
        return summary
    }

    private func trainEpoch(_ epoch: Int) throws -> (sums: LossSums, sequences: Int, seconds: Double, end: TrainingEnd?) {
        let clock = ContinuousClock()
        let start = clock.now
        var sums = LossSums()
        var sequences = 0
        let count = batchesPerEpoch
        for index in 0..<count {
            let batch = try dataset.batch(.train, epoch: epoch - 1, index: index, batchSize: settings.batchSize)
            let result = try model.computeGradients(batch, step: updater.step)
            guard result.loss.isFinite else {
                return (sums, sequences, 0, .diverged(step: updater.step + 1, loss: result.meanLoss))
            }
            do {
                try updater.update(learningRate: settings.learningRate)
            } catch RecurrentError.linearAlgebra {
                // Gradients that overflowed reach the skew parameters first.
                return (sums, sequences, 0, .diverged(step: updater.step, loss: .nan))
            }
            sums += result
            sequences += batch.batch
            let progress = BatchProgress(
                epoch: epoch, batch: index + 1, batchesPerEpoch: count, step: updater.step, epochSums: sums,
                batchSums: result, sequences: sequences, seconds: (clock.now - start).inSeconds)
            for observer in observers { try observer.didTrainBatch(progress) }
            if shouldStop() { return (sums, sequences, 0, .interrupted) }
        }
        model.backend.synchronize()
        return (sums, sequences, (clock.now - start).inSeconds, nil)
    }

    /// Loss and metric of a whole split with the model's present weights.
    public func evaluate(_ split: Split) throws -> LossSums {
        try model.evaluate(
            dataset, split: split, batchSize: settings.evaluationBatchSize ?? settings.batchSize)
    }
}

extension SequenceModel {
    /// Sums over a whole split, without dropout.
    public func evaluate(_ dataset: any Dataset, split: Split, batchSize: Int) throws -> LossSums {
        var sums = LossSums()
        for index in 0..<dataset.batchCount(split, batchSize: batchSize) {
            sums += try evaluate(dataset.batch(split, epoch: 0, index: index, batchSize: batchSize))
        }
        return sums
    }
}

extension Duration {
    /// As a number of seconds.
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
