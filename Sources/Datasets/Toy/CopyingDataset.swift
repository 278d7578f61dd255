import RecurrentCore

/// The copying memory task (Hochreiter & Schmidhuber 1997, as in Arjovsky, Shah & Bengio
/// 2016): repeat ten symbols from an alphabet of eight after `delay` steps.
///
/// The inputs of a sequence, which has `delay + 20` steps, are ten symbols, `delay − 1` blanks,
/// a marker and ten blanks. The targets are `delay + 10` blanks, then the ten symbols. A model
/// without memory has a loss of ``memorylessLoss``, 10 ln 8 / (delay + 20), and an accuracy of
/// one in eight; only the ten symbols count for the accuracy.
public struct CopyingDataset: DatasetPlugin {
    public static let name = "copying"
    public static let summary = "repeat ten symbols after a delay"
    /// The size of the task, and the number of sequences in each split.
    public struct Options: OptionSection {
        /// The delay, T in the literature; at least 1.
        public var delay = 100
        /// The number of sequences in each split.
        public var sizes = SplitSizes()
        /// Whether training sequences are drawn anew in each epoch.
        public var freshData = true
        public init() {}
        public static let fields: [OptionField<Self>] =
            [.length(\.delay, 1, "Delay T between the symbols and their copy.")]
            + .generated(\.sizes.train, \.sizes.valid, \.sizes.test, \.freshData)
    }

    /// The delay, T in the literature.
    public let delay: Int
    private let sequences: GeneratedSequences

    /// The number of symbols to remember, and the size of their alphabet.
    public static let symbolCount = 10, alphabet = 8
    private static let blank: Int32 = 8, marker: Int32 = 9

    public init(options: Options, seed: UInt64) throws {
        try options.check()
        try self.init(delay: options.delay, sizes: options.sizes, seed: seed, freshEachEpoch: options.freshData)
    }
    public static func adjust(_ defaults: inout RunDefaults) { defaults.useMemoryDefaults() }

    /// Creates a data set of generated sequences.
    ///
    /// - Parameters:
    ///   - delay: the delay, T in the literature; in 1...2²⁰.
    ///   - sizes: the number of sequences in each split.
    ///   - seed: the seed of the sequences and of their order.
    ///   - freshEachEpoch: whether to draw new training sequences in each epoch instead of
    ///     shuffling the same ones.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for a size out of range.
    public init(delay: Int, sizes: SplitSizes = SplitSizes(), seed: UInt64 = 1, freshEachEpoch: Bool = true) throws {
        guard delay >= 1, delay <= 1 << 20 else {
            throw RecurrentError.invalidOption("copying: the delay must be in 1...\(1 << 20), not \(delay)")
        }
        self.delay = delay
        sequences = try GeneratedSequences(sizes: sizes, seed: seed, freshEachEpoch: freshEachEpoch)
    }

    /// The sequence length, `delay + 20`.
    public var length: Int { delay + 2 * Self.symbolCount }
    /// The loss of a model without memory, in nats per position.
    public var memorylessLoss: Double {
        Double(Self.symbolCount) * RealFunctions.log(Double(Self.alphabet)) / Double(length)
    }
    public var description: DatasetDescription {
        DatasetDescription(
            inputs: .tokens(vocabulary: Self.alphabet + 2), targets: .positionClass(classes: Self.alphabet + 1),
            isContinuous: false, metric: .accuracy, classExcludedFromAccuracy: Int(Self.blank),
            baseline: .init("a model without memory", loss: memorylessLoss))
    }

    /// The number of sequences in each split.
    public var sizes: SplitSizes { sequences.sizes }
    public func batchCount(_ split: Split, batchSize: Int) -> Int { sequences.batchCount(split, batchSize: batchSize) }

    public func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
        let keys = sequences.keys(split, epoch: epoch, index: index, batchSize: batchSize)
        let count = keys.count, size = Self.symbolCount
        var inputs = [Int32](repeating: Self.blank, count: length * count), targets = inputs
        var symbols = [Int32](repeating: 0, count: size)
        for (column, key) in keys.enumerated() {
            symbols.withUnsafeMutableBufferPointer {
                UniformSymbols.fill($0, below: UInt32(Self.alphabet), key: key)
            }
            for (t, symbol) in symbols.enumerated() {
                inputs[t * count + column] = symbol
                targets[(length - size + t) * count + column] = symbol
            }
            inputs[(size + delay - 1) * count + column] = Self.marker
        }
        return Batch(steps: length, size: count, inputs: .tokens(inputs), targets: targets)
    }
}
