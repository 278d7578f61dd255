import RecurrentCore

/// Task I of the paper (Sec. 4.1): of `length` numbers drawn from
/// `0..<symbols`, name the first after having seen the last.
///
/// A model that remembers nothing is right once in `symbols` times.
public struct RecallDataset: Dataset {
    private let task: SequenceTask

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

    public var name: String { "recall" }
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
