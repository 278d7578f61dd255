import RecurrentCore

/// Task II of the paper (Sec. 4.1): of `length` numbers drawn independently
/// from `0..<length`, name the k-th largest.
///
/// Repeated numbers count as often as they occur: the second largest of 3, 7, 7 is 7.
public struct KthLargestDataset: DatasetPlugin {
    public static let name = "kth-largest"
    public static let summary = "task II: find the k-th largest of N numbers"
    /// The size of the task, and the number of sequences in each split.
    public struct Options: OptionSection {
        /// The sequence length N, at least 2; numbers and classes are below it.
        public var length = 100
        /// The rank k of the number to name, in descending order and counted from 1.
        public var k = 10
        /// The number of sequences in each split.
        public var sizes = SplitSizes()
        /// Whether training sequences are drawn anew in each epoch.
        public var freshData = false
        public init() {}
        public static let fields: [OptionField<Self>] =
            [
                .length(\.length, 2, "Sequence length N, and number of classes."),
                .integer("k", \.k, 1...(.max), "Rank k of the number to find, in descending order."),
            ]
            + .generated(\.sizes.train, \.sizes.valid, \.sizes.test, \.freshData)
        public func validate() throws {
            guard k > length else { return }
            throw RecurrentError.invalidOption("`k` must be in 1...\(length), the `length`, not \(k)")
        }
    }

    /// The rank k of the number to name, in descending order and counted from 1.
    public let k: Int
    private let task: SequenceTask

    public init(options: Options, seed: UInt64) throws {
        try options.check()
        try self.init(
            length: options.length, k: options.k, sizes: options.sizes, seed: seed, freshEachEpoch: options.freshData)
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
    ///   - length: the sequence length N, at least 2; numbers and classes are below it.
    ///   - k: the rank of the number to name, in 1...length.
    ///   - sizes: the number of sequences in each split.
    ///   - seed: the seed of the sequences and of their order.
    ///   - freshEachEpoch: whether to draw new training sequences in each epoch instead of
    ///     shuffling the same ones.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for a size or `k` out of range.
    public init(
        length: Int, k: Int = 10, sizes: SplitSizes = SplitSizes(), seed: UInt64 = 1, freshEachEpoch: Bool = false
    ) throws {
        guard length >= 2 else {
            throw RecurrentError.invalidOption("kth-largest: the sequence length must be at least 2, not \(length)")
        }
        guard k >= 1, k <= length else {
            throw RecurrentError.invalidOption(
                "kth-largest: k must be at least 1 and at most the sequence length \(length), not \(k)")
        }
        self.k = k
        task = try SequenceTask(
            length: length, symbols: length, sizes: sizes, seed: seed, freshEachEpoch: freshEachEpoch,
            classify: { Self.kthLargest($0, k: k) })
    }

    /// Returns the k-th largest number, by counting how often each number occurs, which is
    /// possible because the numbers are below their count.
    private static func kthLargest(_ numbers: UnsafeBufferPointer<Int32>, k: Int) -> Int32 {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: numbers.count) { occurrences in
            occurrences.initialize(repeating: 0)
            for number in numbers { occurrences[Int(number)] += 1 }
            var candidate = numbers.count - 1
            var larger = Int(occurrences[candidate])
            while larger < k {
                candidate -= 1
                larger += Int(occurrences[candidate])
            }
            return Int32(candidate)
        }
    }

    /// The sequence length N.
    public var length: Int { task.length }
    /// The number of sequences in each split.
    public var sizes: SplitSizes { task.sizes }

    public var description: DatasetDescription {
        DatasetDescription(
            inputs: .tokens(vocabulary: length), targets: .sequenceClass(classes: length), isContinuous: false,
            metric: .accuracy)
    }
    public func batchCount(_ split: Split, batchSize: Int) -> Int { task.batchCount(split, batchSize: batchSize) }
    public func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
        task.batch(split, epoch: epoch, index: index, batchSize: batchSize)
    }
}
