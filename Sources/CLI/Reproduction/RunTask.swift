/// A run to train: an experiment with a seed.
struct RunTask: Sendable {
    let experiment: Experiment
    let seed: UInt64
    let folder: String
    /// The folder relative to the report.
    let place: String
    /// How often it has lost its host since it last made progress.
    var losses = 0
    /// The earliest time to start it.
    var earliest = ContinuousClock.now

    /// The name of the run, for readers.
    var name: String { "\(experiment.id) seed \(seed)" }
}
