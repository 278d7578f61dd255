import RecurrentRuns

/// The progress of a run that another process is training.
struct RunProgress {
    let experiment: Experiment
    let seed: UInt64
    let folder: String

    /// The progress as text: `recall-n20-rnn/2 epoch 70/200`.
    var text: String { "\(experiment.id)/\(seed)" + (epoch.map { " epoch \($0)/\(experiment.epochs)" } ?? "") }

    /// The last finished epoch in the metrics; nil before the first has finished.
    private var epoch: Int? {
        guard let last = MetricsRecord.last(folder).last else { return nil }
        // A record without a split was measured during its epoch.
        return last.split != nil ? last.epoch : last.epoch > 1 ? last.epoch - 1 : nil
    }
}
