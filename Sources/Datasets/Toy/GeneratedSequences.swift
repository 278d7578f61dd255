import RecurrentCore

/// The choice of sequences for each batch of a generated data set, and the random stream of each.
///
/// Each sequence of a split (and, where training sequences are fresh, of an epoch) has its
/// own stream, so that no two splits, epochs or sequences share random numbers.
struct GeneratedSequences: Sendable {
    let sizes: SplitSizes
    let freshEachEpoch: Bool
    private let seed: UInt64
    private let order: ShuffledOrder

    /// Creates the sequences' order and streams.
    ///
    /// - Parameters:
    ///   - sizes: the number of sequences in each split.
    ///   - length: the numbers stored per sequence, which limit the sizes; 1 if none are stored.
    ///   - seed: the seed of all streams, and of the order of the training sequences.
    ///   - freshEachEpoch: whether training sequences are drawn anew in each epoch.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for a size out of range.
    init(sizes: SplitSizes, length: Int = 1, seed: UInt64, freshEachEpoch: Bool) throws {
        try sizes.validate(length: length)
        self.sizes = sizes
        self.seed = seed
        self.freshEachEpoch = freshEachEpoch
        order = ShuffledOrder(seed: seed, count: sizes.train)
    }

    func batchCount(_ split: Split, batchSize: Int) -> Int {
        precondition(batchSize >= 1, "a batch has at least one sequence")
        return (sizes[split] + batchSize - 1) / batchSize
    }

    /// Returns whether a split has different sequences in each epoch.
    func isFresh(_ split: Split) -> Bool { split == .train && freshEachEpoch }

    /// Returns the numbers of a batch's sequences within their split; the last batch may have fewer.
    func numbers(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> [Int] {
        precondition(
            index >= 0 && index < batchCount(split, batchSize: batchSize),
            "batch \(index) is outside the \(split) split")
        let range = index * batchSize..<min((index + 1) * batchSize, sizes[split])
        return split == .train && !freshEachEpoch ? order.order(epoch: epoch)[range].map(Int.init) : Array(range)
    }

    /// Returns the key of a sequence's random stream.
    func key(_ split: Split, epoch: Int, number: Int) -> RandomKey {
        let purpose: RandomPurpose =
            switch split {
            case .train: .trainData
            case .valid: .validationData
            case .test: .testData
            }
        return RandomKey(seed: seed, purpose: purpose, stream: isFresh(split) ? epoch : 0, step: number)
    }

    /// Returns the key of the random stream of each sequence in a batch.
    func keys(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> [RandomKey] {
        numbers(split, epoch: epoch, index: index, batchSize: batchSize).map { key(split, epoch: epoch, number: $0) }
    }
}
