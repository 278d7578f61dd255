/// The progress of a training run. Together with the numbers that the model and the
/// updater hold, it is all that a run needs to continue bit for bit: batches and
/// masks follow from the seed, the epoch and the step.
public struct TrainingProgress: Codable, Sendable, Equatable {
    /// The current epoch, from 1.
    public internal(set) var epoch = 1
    /// The number of finished batches of the current epoch.
    public internal(set) var batches = 0
    /// The loss sums of these batches.
    public internal(set) var sums = LossSums()
    /// The number of sequences in these batches.
    public internal(set) var sequences = 0
    /// The learning rate of the last update.
    public internal(set) var learningRate = 0.0
    /// The time spent on these batches, in seconds.
    public internal(set) var seconds = 0.0
    /// The time spent on the whole run, in seconds, including earlier sessions.
    public internal(set) var runSeconds = 0.0
    /// The records of the finished epochs.
    public internal(set) var records: [EpochRecord] = []

    /// Creates the progress of a run that hasn't started.
    public init() {}

    /// The best epoch so far, by validation loss.
    public var best: EpochRecord? { records.last(where: \.isBest) }

    /// Whether the model's present weights are the best, as nothing was trained since.
    var isAtBest: Bool { batches == 0 && best != nil && best?.epoch == records.last?.epoch }

    /// Whether the numbers, which come from a file, agree with each other and with the number of updates, and
    /// are so far from the ends of their range that training can add to them.
    func isConsistent(step: Int) -> Bool {
        let numbers = 0...1 << 52
        func isConsistent(_ sums: LossSums) -> Bool {
            numbers.contains(sums.count) && numbers.contains(sums.correct) && numbers.contains(sums.accuracyCount)
        }
        return numbers.contains(step) && numbers.contains(batches) && numbers.contains(sequences)
            && isConsistent(sums) && epoch == records.count + 1
            && records.enumerated().allSatisfy { index, record in
                record.epoch == index + 1 && (0...step).contains(record.step)
                    && ([record.train, record.validation] + [record.test].compactMap { $0 }).allSatisfy(isConsistent)
            }
    }

    mutating func finishEpoch(_ record: EpochRecord) {
        records.append(record)
        (epoch, batches, sums, sequences, seconds) = (epoch + 1, 0, LossSums(), 0, 0)
    }
}

/// The interval at which a run is saved in addition to the end of each epoch.
public enum CheckpointInterval: Sendable, Equatable {
    /// A number of updates.
    case steps(Int)
    /// A time in seconds.
    case seconds(Double)
}
