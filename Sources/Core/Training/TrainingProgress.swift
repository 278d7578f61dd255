/// Where a training run stands. Together with the numbers that the model and the
/// updater hold, it is all that a run needs to continue bit for bit: batches and
/// masks follow from the seed, the epoch and the step.
public struct TrainingProgress: Codable, Sendable, Equatable {
    /// The epoch under way, from 1.
    public internal(set) var epoch = 1
    /// How many of its batches are done.
    public internal(set) var batches = 0
    /// Over these batches.
    public internal(set) var sums = LossSums()
    public internal(set) var sequences = 0
    /// Of the last update.
    public internal(set) var learningRate = 0.0
    /// Spent on these batches.
    public internal(set) var seconds = 0.0
    /// Spent on the whole run, all of its parts taken together.
    public internal(set) var runSeconds = 0.0
    /// Of the epochs that are done.
    public internal(set) var records: [EpochRecord] = []

    public init() {}

    /// The best epoch so far, by validation loss.
    public var best: EpochRecord? { records.last(where: \.isBest) }

    /// Whether the best weights are the model's present ones: nothing was trained
    /// since.
    var isAtBest: Bool { batches == 0 && best != nil && best?.epoch == records.last?.epoch }

    mutating func finishEpoch(_ record: EpochRecord) {
        records.append(record)
        (epoch, batches, sums, sequences, seconds) = (epoch + 1, 0, LossSums(), 0, 0)
    }
}

/// How often a run is saved besides the end of each epoch.
public enum CheckpointInterval: Sendable, Equatable {
    case steps(Int)
    case seconds(Double)
}
