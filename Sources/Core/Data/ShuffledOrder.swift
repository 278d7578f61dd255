import Synchronization

/// The order of the training sequences in each epoch: a Fisher–Yates shuffle
/// keyed by the seed and the epoch. The last epoch asked for is kept.
public final class ShuffledOrder: Sendable {
    private let seed: UInt64
    private let count: Int
    private let latest = Mutex<(epoch: Int, order: [Int32])?>(nil)

    public init(seed: UInt64, count: Int) {
        self.seed = seed
        self.count = count
    }

    /// The numbers `0..<count`, shuffled.
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
