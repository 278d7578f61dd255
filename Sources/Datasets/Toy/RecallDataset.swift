import RecurrentCore

/// Task I of the paper (Sec. 4.1): of `length` numbers drawn from
/// `0..<symbols`, name the first after having seen the last.
///
/// A model that remembers nothing is right once in `symbols` times.
public struct RecallDataset: DatasetPlugin {
    public static let name = "recall"
    public static let summary = "task I: name the first of N numbers"
    /// The task's size, and how many sequences there are.
    public struct Options: OptionSection {
        /// N.
        public var length = 100
        /// M.
        public var symbols = 10
        /// Sequences of each split.
        public var sizes = SplitSizes()
        /// Whether training sequences are drawn anew each epoch.
        public var freshData = false
        public init() {}
        public static let fields: [OptionField<Self>] =
            [
                .length(\.length, 1, "Numbers N of a sequence."),
                .integer("symbols", \.symbols, 2...Int(Int32.max), "Different numbers M, and classes."),
            ]
            + .generated(\.sizes.train, \.sizes.valid, \.sizes.test, \.freshData)
    }

    private let task: SequenceTask

    public init(options: Options, seed: UInt64) throws {
        try options.check()
        try self.init(
            length: options.length, symbols: options.symbols, sizes: options.sizes, seed: seed,
            freshEachEpoch: options.freshData)
    }
    /// The paper's Table 8, but for the learning rate, which there takes ten times the epochs.
    public static func adjust(_ defaults: inout RunDefaults) {
        defaults.model.dropout = 0.2
        defaults.training.stopLoss = 0.005
    }

    /// - Parameters:
    ///   - length: N, the numbers of a sequence.
    ///   - symbols: M, how many different numbers there are, and classes.
    ///   - freshEachEpoch: draw new training sequences each epoch instead of
    ///     shuffling the same ones.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for a size out of range.
    public init(
        length: Int, symbols: Int = 10, sizes: SplitSizes = SplitSizes(), seed: UInt64 = 1, freshEachEpoch: Bool = false
    ) throws {
        guard length >= 1 else {
            throw RecurrentError.invalidOption("recall: the sequence length must be at least 1, not \(length)")
        }
        guard symbols >= 2 else {
            throw RecurrentError.invalidOption("recall: the number of symbols must be at least 2, not \(symbols)")
        }
        task = try SequenceTask(
            length: length, symbols: symbols, sizes: sizes, seed: seed, freshEachEpoch: freshEachEpoch,
            classify: { $0[0] })
    }

    public var length: Int { task.length }
    public var symbols: Int { task.symbols }
    public var sizes: SplitSizes { task.sizes }

    public var description: DatasetDescription {
        DatasetDescription(
            inputs: .tokens(vocabulary: symbols), targets: .sequenceClass(classes: symbols), isContinuous: false,
            metric: .accuracy, baseline: .init("a model without memory", loss: RealFunctions.log(Double(symbols))))
    }
    public func batchCount(_ split: Split, batchSize: Int) -> Int { task.batchCount(split, batchSize: batchSize) }
    public func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
        task.batch(split, epoch: epoch, index: index, batchSize: batchSize)
    }
}
