import RecurrentCore

/// The adding problem (Hochreiter & Schmidhuber 1997): add the two marked numbers of a
/// sequence.
///
/// Each input [T, 2] has a number uniform in [0, 1) at every step, and a mark that is 1 at
/// one step in each half and 0 elsewhere. The target is the sum of the two marked numbers.
/// Always answering 1 has a mean squared error of 1/6 (0.167).
public struct AddingDataset: DatasetPlugin {
    public static let name = "adding"
    public static let summary = "add the two marked numbers of a sequence"
    /// The size of the task, and the number of sequences in each split.
    public struct Options: OptionSection {
        /// The sequence length T, at least 2.
        public var length = 100
        /// The number of sequences in each split.
        public var sizes = SplitSizes()
        /// Whether training sequences are drawn anew in each epoch.
        public var freshData = true
        public init() {}
        public static let fields: [OptionField<Self>] =
            [.length(\.length, 2, "Sequence length T.")]
            + .generated(\.sizes.train, \.sizes.valid, \.sizes.test, \.freshData)
    }
    public static var hasTokenInputs: Bool { false }

    /// The sequence length T.
    public let length: Int
    private let sequences: GeneratedSequences

    public init(options: Options, seed: UInt64) throws {
        try options.check()
        try self.init(length: options.length, sizes: options.sizes, seed: seed, freshEachEpoch: options.freshData)
    }
    public static func adjust(_ defaults: inout RunDefaults) { defaults.useMemoryDefaults() }

    /// Creates a data set of generated sequences.
    ///
    /// - Parameters:
    ///   - length: the sequence length T, in 2...2²⁰.
    ///   - sizes: the number of sequences in each split.
    ///   - seed: the seed of the sequences and of their order.
    ///   - freshEachEpoch: whether to draw new training sequences in each epoch instead of
    ///     shuffling the same ones.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for a size out of range.
    public init(length: Int, sizes: SplitSizes = SplitSizes(), seed: UInt64 = 1, freshEachEpoch: Bool = true) throws {
        guard length >= 2, length <= 1 << 20 else {
            throw RecurrentError.invalidOption("adding: the sequence length must be in 2...\(1 << 20), not \(length)")
        }
        self.length = length
        sequences = try GeneratedSequences(sizes: sizes, seed: seed, freshEachEpoch: freshEachEpoch)
    }

    public var description: DatasetDescription {
        DatasetDescription(
            inputs: .vectors(width: 2), targets: .sequenceValue, isContinuous: false, metric: .squaredError,
            baseline: .init("always answering 1", loss: 1.0 / 6))
    }

    /// The number of sequences in each split.
    public var sizes: SplitSizes { sequences.sizes }
    public func batchCount(_ split: Split, batchSize: Int) -> Int { sequences.batchCount(split, batchSize: batchSize) }

    public func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
        let keys = sequences.keys(split, epoch: epoch, index: index, batchSize: batchSize)
        let count = keys.count
        var inputs = [Float](repeating: 0, count: length * count * 2), sums = [Float](repeating: 0, count: count)
        for (column, key) in keys.enumerated() {
            var random = RandomStream(key)
            let half = length / 2
            let marked = [random.integer(below: half), half + random.integer(below: length - half)]
            for t in 0..<length {
                // 24 bits are exact in Float.
                let value = Float(random.nextWord() >> 8) * 0x1p-24
                inputs[2 * (t * count + column)] = value
                if marked.contains(t) {
                    inputs[2 * (t * count + column) + 1] = 1
                    sums[column] += value
                }
            }
        }
        return Batch(steps: length, size: count, inputs: .vectors(inputs, width: 2), values: sums)
    }
}
