import RecurrentCore

/// Task II of the paper (Sec. 4.1): of `length` numbers drawn independently
/// from `0..<length`, name the k-th largest.
///
/// Repeated numbers count as often as they occur: the second largest of 3, 7, 7
/// is 7.
public struct KthLargestDataset: DatasetPlugin {
    public static let name = "kth-largest"
    public static let summary = "task II: find the k-th largest of N numbers"
    /// The task's size, and how many sequences there are.
    public struct Options: OptionSection {
        /// N.
        public var length = 100
        /// Which of the numbers in descending order, from 1.
        public var k = 10
        /// Sequences of each split.
        public var sizes = SplitSizes()
        /// Whether training sequences are drawn anew each epoch.
        public var freshData = false
        public init() {}
        public static let fields: [OptionField<Self>] =
            [
                .length(\.length, 2, "Numbers N of a sequence, and classes."),
                .integer("k", \.k, 1...(.max), "Which in descending order is asked for."),
            ]
            + .generated(\.sizes.train, \.sizes.valid, \.sizes.test, \.freshData)
        public func validate() throws {
            guard k > length else { return }
            throw RecurrentError.invalidOption("`k` must be in 1...\(length), the `length`, not \(k)")
        }
    }

    /// Which of the numbers in descending order, from 1.
    public let k: Int
    private let task: SequenceTask

    public init(options: Options, seed: UInt64) throws {
        try options.check()
        try self.init(
            length: options.length, k: options.k, sizes: options.sizes, seed: seed, freshEachEpoch: options.freshData)
    }
    /// The paper's Table 8, but for the learning rate, which there takes ten times the epochs.
    public static func adjust(_ defaults: inout RunDefaults) {
        defaults.model.dropout = 0.2
        defaults.training.stopLoss = 0.005
    }

    /// - Parameters:
    ///   - length: N, the numbers of a sequence, how many different ones there are, and classes.
    ///   - k: in 1...length.
    ///   - freshEachEpoch: draw new training sequences each epoch instead of
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
                "kth-largest: k must lie in 1...\(length), the sequence length, not be \(k)")
        }
        self.k = k
        task = try SequenceTask(
            length: length, symbols: length, sizes: sizes, seed: seed, freshEachEpoch: freshEachEpoch,
            classify: { Self.kthLargest($0, k: k) })
    }

    /// By counting how often each number occurs, as the numbers are below their count.
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

    public var length: Int { task.length }
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
