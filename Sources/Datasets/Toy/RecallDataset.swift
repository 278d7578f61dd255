import RecurrentCore

/// Task I of the paper (Sec. 4.1): of `length` numbers drawn from
/// `0..<symbols`, name the first after having seen the last.
///
/// A model without memory is right once in `symbols` times.
public struct RecallDataset: DatasetPlugin {
    public static let name = "recall"
    public static let summary = "task I: name the first of N numbers"
    /// The size of the task, and the number of sequences in each split.
    public struct Options: OptionSection {
        /// The sequence length N, at least 1.
        public var length = 100
        /// The number M of different symbols, which is also that of classes; at least 2.
        public var symbols = 10
        /// The number of sequences in each split.
        public var sizes = SplitSizes()
        /// Whether training sequences are drawn anew in each epoch.
        public var freshData = false
        public init() {}
        public static let fields: [OptionField<Self>] =
            [
                .length(\.length, 1, "Sequence length N."),
                .integer("symbols", \.symbols, 2...Int(Int32.max), "Number M of different symbols, and of classes."),
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
    /// Sets the defaults to the paper's Table 8, except for the learning rate, which takes ten
    /// times the epochs there.
    public static func adjust(_ defaults: inout RunDefaults) {
        defaults.model.dropout = 0.2
        defaults.training.stopLoss = 0.005
    }

    /// Creates a data set of generated sequences.
    ///
    /// - Parameters:
    ///   - length: the sequence length N, at least 1.
    ///   - symbols: the number M of different symbols, which is also that of classes; at least 2.
    ///   - sizes: the number of sequences in each split.
    ///   - seed: the seed of the sequences and of their order.
    ///   - freshEachEpoch: whether to draw new training sequences in each epoch instead of
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

    /// The sequence length N.
    public var length: Int { task.length }
    /// The number M of different symbols, and of classes.
    public var symbols: Int { task.symbols }
    /// The number of sequences in each split.
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
