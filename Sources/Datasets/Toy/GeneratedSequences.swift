import RecurrentCore

/// Which sequences a batch of a generated data set has, and the random stream of each.
///
/// Sequence `i` of a split (in epoch `e`, where training sequences are fresh) has a
/// stream of its own, so that no two splits, epochs or sequences share a number.
struct GeneratedSequences: Sendable {
    let sizes: SplitSizes
    let freshEachEpoch: Bool
    private let seed: UInt64
    private let order: ShuffledOrder

    /// - Parameters:
    ///   - sizes: how many sequences each split has.
    ///   - length: how many numbers of a sequence are kept; 1 if none are.
    ///   - seed: of all streams, and of the order in which training sequences come.
    ///   - freshEachEpoch: whether training sequences are drawn anew each epoch.
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

    /// Whether a split's sequences are other ones in each epoch.
    func isFresh(_ split: Split) -> Bool { split == .train && freshEachEpoch }

    /// The numbers of a batch's sequences within their split; the last batch may have fewer.
    func numbers(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> [Int] {
        precondition(
            index >= 0 && index < batchCount(split, batchSize: batchSize),
            "batch \(index) is outside the \(split) split")
        let range = index * batchSize..<min((index + 1) * batchSize, sizes[split])
        return split == .train && !freshEachEpoch ? order.order(epoch: epoch)[range].map(Int.init) : Array(range)
    }

    /// The random stream of a sequence.
    func key(_ split: Split, epoch: Int, number: Int) -> RandomKey {
        let purpose: RandomPurpose =
            switch split {
            case .train: .trainData
            case .valid: .validationData
            case .test: .testData
            }
        return RandomKey(seed: seed, purpose: purpose, stream: isFresh(split) ? epoch : 0, step: number)
    }

    /// One stream per sequence of a batch.
    func keys(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> [RandomKey] {
        numbers(split, epoch: epoch, index: index, batchSize: batchSize).map { key(split, epoch: epoch, number: $0) }
    }
}
