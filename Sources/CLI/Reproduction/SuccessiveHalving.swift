import RecurrentCore

/// Successive halving (Jamieson & Talwalkar 2016): every point is trained for a few epochs,
/// the better half for twice as many, and so on, until one is trained to the end.
public struct SuccessiveHalving: Sendable {
    /// Epochs of each round, ascending; the last are those that were asked for.
    public let rounds: [Int]

    /// - Parameters:
    ///   - points: how many there are in the first round.
    ///   - epochs: of the last round.
    public init(points: Int, epochs: Int) {
        var rounds = [epochs], left = 1
        while left < points, rounds[0] > 1 {
            rounds.insert(max(rounds[0] / 2, 1), at: 0)
            left *= 2
        }
        self.rounds = rounds
    }

    /// An experiment for the epochs of a round. One whose learning rate falls over the
    /// epochs begins anew in each round, so it has a folder of its own.
    public func experiment(_ experiment: Experiment, epochs: Int) -> Experiment {
        guard epochs < experiment.epochs else { return experiment }
        var configuration = experiment.configuration
        configuration.training.epochs = epochs
        return Experiment(experiment.canGrow ? experiment.id : "\(experiment.id)_epochs=\(epochs)", configuration)
    }

    /// Those that go on to the next round: the better half, rounded up.
    public func better(_ outcomes: [SettingsSearch.Outcome]) -> [SettingsSearch.Outcome] {
        Array(outcomes.sorted { $0.loss < $1.loss }.prefix((outcomes.count + 1) / 2))
    }
}
