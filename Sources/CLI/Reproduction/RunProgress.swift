import RecurrentRuns

/// How far a run has come that another process trains, for a person who waits.
struct RunProgress {
    let experiment: Experiment
    let seed: UInt64
    let folder: String

    /// `recall-n20-rnn/2 epoch 70/200`.
    var text: String { "\(experiment.id)/\(seed)" + (epoch.map { " epoch \($0)/\(experiment.epochs)" } ?? "") }

    /// The last one in the metrics that has ended; nil before the first has.
    private var epoch: Int? {
        guard let last = MetricsRecord.last(folder).last else { return nil }
        // What has no split was measured within its epoch.
        return last.split != nil ? last.epoch : last.epoch > 1 ? last.epoch - 1 : nil
    }
}
