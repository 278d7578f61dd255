import RecurrentCore

/// Successive halving (Jamieson & Talwalkar 2016): every point is trained for a few epochs, the better half for twice as
/// many, and so on, until the last round trains for all epochs.
public struct SuccessiveHalving: Sendable {
    /// The number of epochs of each round, in ascending order; the last is the requested number.
    public let rounds: [Int]

    /// Plans the rounds of a search.
    ///
    /// - Parameters:
    ///   - points: the number of points in the first round.
    ///   - epochs: the number of epochs in the last round.
    public init(points: Int, epochs: Int) {
        var rounds = [epochs], left = 1
        while left < points, rounds[0] > 1 {
            rounds.insert(max(rounds[0] / 2, 1), at: 0)
            left *= 2
        }
        self.rounds = rounds
    }

    /// Returns an experiment with the epochs of a round.
    ///
    /// An experiment whose learning-rate schedule depends on the number of epochs starts again in each round, and so has
    /// a separate folder.
    public func experiment(_ experiment: Experiment, epochs: Int) -> Experiment {
        guard epochs < experiment.epochs else { return experiment }
        var configuration = experiment.configuration
        configuration.training.epochs = epochs
        return Experiment(experiment.canGrow ? experiment.id : "\(experiment.id)_epochs=\(epochs)", configuration)
    }

    /// Returns the outcomes that advance to the next round: the better half, rounded up.
    public func better(_ outcomes: [SettingsSearch.Outcome]) -> [SettingsSearch.Outcome] {
        Array(outcomes.sorted { $0.loss < $1.loss }.prefix((outcomes.count + 1) / 2))
    }
}
