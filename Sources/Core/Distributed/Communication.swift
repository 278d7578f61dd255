/// What the ranks of a run send each other in a step, by its sizes alone.
///
/// The time of a step is that of the shards of a rank, and, with α seconds for a message and β for a byte, about
/// `messages · α + bytes · β`.
public struct Communication: Sendable, Equatable {
    /// The number of bytes that a rank sends in a step.
    public let bytes: Int
    /// The number of messages that a rank sends in a step.
    public let messages: Int

    /// Counts what one rank sends.
    ///
    /// - Parameter updater: the updater of the model's parameters on that rank.
    public init(_ updater: ParameterUpdater) {
        let communicator = updater.communicator, shares = updater.shares
        let others = communicator.size - 1, own = shares.owned[communicator.rank]
        let plan = ShardPlan(updater.configuration.shards, communicator)
        let width = updater.backend.scalarType == .float32 ? 4 : 8
        // Gradients of others' parameters, own parameters, and the loss of each shard with two votes.
        var bytes =
            (shares.owned.reduce(0) { $0 + $1.elementCount } - own.elementCount + others * own.elementCount) * width
        bytes += others * (4 * plan.own.count + 2) * 8
        var rounds = 3
        if updater.measuresNorm {
            let rows = shares.parts.reduce(0) { count, part in
                count
                    + own.clamped(to: part).reduce(0) {
                        $0 + ($1.count + ParameterShares.piece - 1) / ParameterShares.piece
                    }
            }
            bytes += others * 2 * rows * width
            rounds += 1
        }
        self.bytes = others == 0 ? 0 : bytes
        messages = rounds * others
    }
}
