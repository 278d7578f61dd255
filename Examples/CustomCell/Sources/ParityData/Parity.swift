import RecurrentCore

/// The parity of random bits, that is, whether a sequence has an odd number of ones: every
/// bit matters, and no part of the sequence alone says anything about the answer.
public struct Parity: DatasetPlugin {
    public static let name = "parity"
    public static let summary = "whether random bits have an odd sum"

    /// The length of the sequences.
    public struct Options: OptionSection {
        /// The number of bits in a sequence, in 2...1000.
        public var bits = 8
        public init() {}
        public static let fields: [OptionField<Self>] = [.integer("bits", \.bits, 2...1000, "Number of bits.")]
    }
    private let options: Options
    private let seed: UInt64
    private static let sizes: [Split: Int] = [.train: 4000, .valid: 500, .test: 500]

    public init(options: Options, seed: UInt64) throws {
        self.options = options
        self.seed = seed
    }

    public static func adjust(_ defaults: inout RunDefaults) { defaults.training.epochs = 40 }

    public var description: DatasetDescription {
        DatasetDescription(
            inputs: .tokens(vocabulary: 2), targets: .sequenceClass(classes: 2), isContinuous: false, metric: .accuracy,
            baseline: .init("guessing", loss: RealFunctions.log(2)))
    }

    public func batchCount(_ split: Split, batchSize: Int) -> Int { (Self.sizes[split]! + batchSize - 1) / batchSize }

    public func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
        let purpose: RandomPurpose = split == .train ? .trainData : split == .valid ? .validationData : .testData
        let numbers = index * batchSize..<min((index + 1) * batchSize, Self.sizes[split]!)
        var tokens = [Int32](repeating: 0, count: options.bits * numbers.count)
        var sums = [Int32](repeating: 0, count: numbers.count)
        for (column, number) in numbers.enumerated() {
            var random = RandomStream(RandomKey(seed: seed, purpose: purpose, step: number))
            for t in 0..<options.bits {
                let bit = Int32(random.integer(below: 2))
                tokens[t * numbers.count + column] = bit
                sums[column] ^= bit
            }
        }
        return Batch(steps: options.bits, size: numbers.count, inputs: .tokens(tokens), targets: sums)
    }
}
