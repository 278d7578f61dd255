import RecurrentCore

/// Which sequences a batch of a generated data set has, and the random stream of
/// each: what copying memory and the adding problem share.
struct GeneratedSequences: Sendable {
    let sizes: SplitSizes
    private let seed: UInt64
    private let freshEachEpoch: Bool
    private let order: ShuffledOrder

    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for a size out of range.
    init(sizes: SplitSizes, seed: UInt64, freshEachEpoch: Bool) throws {
        try sizes.validate(length: 1)
        self.sizes = sizes
        self.seed = seed
        self.freshEachEpoch = freshEachEpoch
        order = ShuffledOrder(seed: seed, count: sizes.train)
    }

    func batchCount(_ split: Split, batchSize: Int) -> Int {
        precondition(batchSize >= 1, "a batch has at least one sequence")
        return (sizes[split] + batchSize - 1) / batchSize
    }

    /// One key per sequence of a batch; the last batch of a split may be smaller.
    func keys(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> [RandomKey] {
        precondition(index >= 0 && index < batchCount(split, batchSize: batchSize), "batch \(index) is outside the \(split) split")
        let range = index * batchSize..<min((index + 1) * batchSize, sizes[split])
        let isShuffled = split == .train && !freshEachEpoch
        let numbers = isShuffled ? order.order(epoch: epoch)[range].map(Int.init) : Array(range)
        let purpose: RandomPurpose =
            switch split {
            case .train: .trainData
            case .valid: .validationData
            case .test: .testData
            }
        return numbers.map {
            RandomKey(seed: seed, purpose: purpose, stream: split == .train && freshEachEpoch ? epoch : 0, step: $0)
        }
    }
}
