import Synchronization

/// The order of the training sequences in each epoch: a Fisher–Yates shuffle
/// keyed by the seed and the epoch. The order that was requested last is cached.
public final class ShuffledOrder: Sendable {
    private let seed: UInt64
    private let count: Int
    private let latest = Mutex<(epoch: Int, order: [Int32])?>(nil)

    /// Creates the orders of `count` sequences, which follow from `seed`.
    public init(seed: UInt64, count: Int) {
        self.seed = seed
        self.count = count
    }

    /// Returns the numbers `0..<count`, shuffled for this epoch.
    public func order(epoch: Int) -> [Int32] {
        latest.withLock { latest in
            if let latest, latest.epoch == epoch { return latest.order }
            var random = RandomStream(RandomKey(seed: seed, purpose: .shuffle, step: epoch))
            let order = Array(0..<Int32(count)).shuffled(using: &random)
            latest = (epoch, order)
            return order
        }
    }
}
