/// What a training run reports. Every method has an empty default.
public protocol TrainingObserver: AnyObject {
    /// Whether ``didTrainBatch(_:)`` may come while the next batch is already being trained,
    /// so that the host need not wait for a device. Default: false; the model then
    /// holds the weights after just that batch.
    var acceptsLateBatches: Bool { get }
    /// Before the first batch of a run, also of one that is resumed.
    func trainingWillStart(_ plan: TrainingPlan) throws
    /// After each batch.
    func didTrainBatch(_ progress: BatchProgress) throws
    /// Something was measured on the side, such as by a ``GradientTracker``: numbers
    /// by their names, after batch `step`.
    func didMeasure(_ values: [String: Double], step: Int) throws
    /// After each epoch's validation.
    func didFinishEpoch(_ record: EpochRecord) throws
    /// The run may be saved here; see ``TrainingCheckpoint``. At the end of an
    /// epoch this comes after ``didFinishEpoch(_:)`` and before
    /// ``didImprove(_:model:)``.
    func didReachCheckpoint(_ checkpoint: TrainingCheckpoint) throws
    /// Better than every epoch before; the model holds these weights now.
    func didImprove(_ record: EpochRecord, model: SequenceModel) throws
    /// After the test; the model holds the best weights. Called for a run that
    /// was stopped or diverged too, as long as one epoch was finished.
    func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws
}

extension TrainingObserver {
    public var acceptsLateBatches: Bool { false }
    public func trainingWillStart(_ plan: TrainingPlan) throws {}
    public func didTrainBatch(_ progress: BatchProgress) throws {}
    public func didMeasure(_ values: [String: Double], step: Int) throws {}
    public func didFinishEpoch(_ record: EpochRecord) throws {}
    public func didReachCheckpoint(_ checkpoint: TrainingCheckpoint) throws {}
    public func didImprove(_ record: EpochRecord, model: SequenceModel) throws {}
    public func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws {}
}

/// What is ahead when a run starts.
public struct TrainingPlan: Sendable {
    public let epochs: Int
    public let batchesPerEpoch: Int
    public let batchSize: Int
    public let parameterCount: Int
    public let metric: DatasetDescription.Metric
}

/// How far a run has come after a batch.
public struct BatchProgress: Sendable {
    /// From 1.
    public let epoch: Int
    /// From 1, within the epoch.
    public let batch: Int
    public let batchesPerEpoch: Int
    /// Updates since the start of the run.
    public let step: Int
    /// Over the epoch so far.
    public let epochSums: LossSums
    /// Of this batch.
    public let batchSums: LossSums
    /// Sequences trained in this epoch so far.
    public let sequences: Int
    /// Since the epoch began.
    public let seconds: Double
    /// Of the update after this batch.
    public let learningRate: Double
}

/// What an epoch came to, as it is written to a run's metrics.
public struct EpochRecord: Sendable, Codable, Equatable {
    /// From 1.
    public let epoch: Int
    public let step: Int
    public let train: LossSums
    public let validation: LossSums
    /// Where ``Trainer/tracksTest`` asks for it.
    public let test: LossSums?
    /// Of training alone.
    public let trainSeconds: Double
    public let sequencesPerSecond: Double
    public let learningRate: Double
    public let isBest: Bool
}

/// Why a run ended.
public enum TrainingEnd: Sendable, Equatable {
    /// All epochs were trained.
    case epochs
    /// No better validation loss for this many epochs.
    case patience(Int)
    /// The validation loss fell below the bound.
    case lossReached(Double)
    /// Asked to stop from outside (Ctrl-C).
    case interrupted
    /// A loss was no finite number, or an orthogonal weight couldn't be computed.
    case diverged(step: Int, loss: Double)
}

/// What a run came to.
public struct TrainingSummary: Sendable {
    /// Why it ended.
    public let end: TrainingEnd
    /// All that were finished, in this order.
    public let epochs: [EpochRecord]
    /// The epoch whose weights the model holds.
    public let best: EpochRecord?
    /// With the best weights; nil if the run ended before its first epoch did.
    public let test: LossSums?
    /// Of the whole run, earlier sessions of a resumed one included.
    public let seconds: Double
}
