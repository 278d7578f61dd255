/// An object that a training run informs of its events. Every method has an empty default;
/// an error that one throws ends the run.
public protocol TrainingObserver: AnyObject {
    /// Whether ``didTrainBatch(_:)`` may be called while the next batch is already being
    /// trained, so that the host need not wait for a device. False by default: the model then
    /// holds the weights right after the reported batch.
    var acceptsLateBatches: Bool { get }
    /// Called before the first batch of a run, including a run that is resumed.
    func trainingWillStart(_ plan: TrainingPlan) throws
    /// Called after each batch.
    func didTrainBatch(_ progress: BatchProgress) throws
    /// Called when something else was measured, such as by a ``GradientTracker``, with the
    /// numbers by name, after batch `step` of the run.
    func didMeasure(_ values: [String: Double], step: Int) throws
    /// Called after the validation of each epoch.
    func didFinishEpoch(_ record: EpochRecord) throws
    /// Called where the run may be saved; see ``TrainingCheckpoint``. At the end of an
    /// epoch the call comes after ``didFinishEpoch(_:)`` and before ``didImprove(_:model:)``.
    func didReachCheckpoint(_ checkpoint: TrainingCheckpoint) throws
    /// Called when an epoch was better than all before it; the model still holds its weights.
    func didImprove(_ record: EpochRecord, model: SequenceModel) throws
    /// Called at the end of a run, even if it was stopped or diverged. If an epoch was
    /// finished, the model holds the best weights, and they have been tested.
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

/// The size of a run that is about to start.
public struct TrainingPlan: Sendable {
    /// The largest number of epochs.
    public let epochs: Int
    /// The number of training batches in an epoch.
    public let batchesPerEpoch: Int
    /// The number of sequences per training batch.
    public let batchSize: Int
    /// The number of elements of all parameters of the model.
    public let parameterCount: Int
    /// The measure to report beside the loss.
    public let metric: DatasetDescription.Metric
}

/// The progress of a run after a batch.
public struct BatchProgress: Sendable {
    /// The epoch, from 1.
    public let epoch: Int
    /// The batch within the epoch, from 1.
    public let batch: Int
    /// The number of training batches in an epoch.
    public let batchesPerEpoch: Int
    /// The number of updates since the start of the run.
    public let step: Int
    /// The loss sums of the epoch so far.
    public let epochSums: LossSums
    /// The loss sums of this batch.
    public let batchSums: LossSums
    /// The number of sequences trained in this epoch so far.
    public let sequences: Int
    /// The training time of the epoch so far, in seconds.
    public let seconds: Double
    /// The learning rate of this batch's update.
    public let learningRate: Double
}

/// The results of an epoch, as they are written to a run's metrics.
public struct EpochRecord: Sendable, Codable, Equatable {
    /// The epoch, from 1.
    public let epoch: Int
    /// The number of updates from the start of the run to the end of the epoch.
    public let step: Int
    /// The loss sums of the epoch's training batches, each taken before its update.
    public let train: LossSums
    /// The loss sums of the validation split after the epoch.
    public let validation: LossSums
    /// The loss sums of the test split after the epoch, if ``Trainer/tracksTest`` is true.
    public let test: LossSums?
    /// The time of training in seconds, without evaluation.
    public let trainSeconds: Double
    /// The number of sequences trained per second, without evaluation.
    public let sequencesPerSecond: Double
    /// The learning rate of the epoch's last update.
    public let learningRate: Double
    /// Whether the validation loss is the lowest so far.
    public let isBest: Bool
}

/// The reason why a run ended.
public enum TrainingEnd: Sendable, Equatable {
    /// All epochs were trained.
    case epochs
    /// The validation loss did not improve for this many epochs.
    case patience(Int)
    /// The validation loss fell below this bound.
    case lossReached(Double)
    /// The run was stopped from outside, such as by Ctrl-C.
    case interrupted
    /// A loss wasn't finite, or an orthogonal weight couldn't be computed, at this step.
    case diverged(step: Int, loss: Double)
}

/// The results of a run.
public struct TrainingSummary: Sendable {
    /// The reason why the run ended.
    public let end: TrainingEnd
    /// The records of all finished epochs, in order.
    public let epochs: [EpochRecord]
    /// The epoch whose weights the model holds; nil if no epoch was finished.
    public let best: EpochRecord?
    /// The loss sums of the test split with the best weights; nil if no epoch was finished.
    public let test: LossSums?
    /// The time of the whole run in seconds, including earlier sessions if it was resumed.
    public let seconds: Double
}
