import RecurrentCore

/// Copying memory (Hochreiter & Schmidhuber 1997, as in Arjovsky, Shah & Bengio
/// 2016): ten symbols of eight are to be repeated after `delay` steps.
///
/// Inputs, `delay + 20` long: ten symbols, `delay − 1` blanks, a marker, ten
/// blanks. Targets: `delay + 10` blanks, then the ten symbols. A model without
/// memory has a loss of ``memorylessLoss``, 10 ln 8 / (delay + 20).
public struct CopyingDataset: Dataset {
    /// T of the literature.
    public let delay: Int
    public let sizes: SplitSizes
    private let seed: UInt64
    private let freshEachEpoch: Bool
    private let order: ShuffledOrder

    /// How many symbols are to be remembered, and of how many.
    public static let symbolCount = 10, alphabet = 8
    private static let blank: Int32 = 8, marker: Int32 = 9

    /// - Parameters:
    ///   - delay: T, at least 1.
    ///   - freshEachEpoch: draw new training sequences each epoch instead of
    ///     shuffling the same ones.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for a size out of range.
    public init(delay: Int, sizes: SplitSizes = SplitSizes(), seed: UInt64 = 1, freshEachEpoch: Bool = true) throws {
        guard delay >= 1, delay <= 1 << 20 else {
            throw RecurrentError.invalidOption("copying: the delay must be in 1...\(1 << 20), not \(delay)")
        }
        try sizes.validate(length: 1)
        self.delay = delay
        self.sizes = sizes
        self.seed = seed
        self.freshEachEpoch = freshEachEpoch
        order = ShuffledOrder(seed: seed, count: sizes.train)
    }

    public var name: String { "copying" }
    public var length: Int { delay + 2 * Self.symbolCount }
    /// In nats per position.
    public var memorylessLoss: Double {
        Double(Self.symbolCount) * RealFunctions.log(Double(Self.alphabet)) / Double(length)
    }
    public var description: DatasetDescription {
        DatasetDescription(
            inputs: .tokens(vocabulary: Self.alphabet + 2), targets: .positionClass(classes: Self.alphabet + 1),
            isContinuous: false, metric: .accuracy)
    }

    public func batchCount(_ split: Split, batchSize: Int) -> Int {
        precondition(batchSize >= 1, "a batch has at least one sequence")
        return (sizes[split] + batchSize - 1) / batchSize
    }

    public func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
        precondition(index >= 0 && index < batchCount(split, batchSize: batchSize), "batch \(index) is outside the \(split) split")
        let range = index * batchSize..<min((index + 1) * batchSize, sizes[split])
        let isFresh = split == .train && freshEachEpoch
        let numbers = split == .train && !freshEachEpoch ? order.order(epoch: epoch)[range].map(Int.init) : Array(range)
        let count = numbers.count, size = Self.symbolCount
        var inputs = [Int32](repeating: Self.blank, count: length * count), targets = inputs
        var symbols = [Int32](repeating: 0, count: size)
        for (column, number) in numbers.enumerated() {
            symbols.withUnsafeMutableBufferPointer {
                UniformSymbols.fill(
                    $0, below: UInt32(Self.alphabet),
                    key: RandomKey(seed: seed, purpose: .data(split), stream: isFresh ? epoch : 0, step: number))
            }
            for (t, symbol) in symbols.enumerated() {
                inputs[t * count + column] = symbol
                targets[(length - size + t) * count + column] = symbol
            }
            inputs[(size + delay - 1) * count + column] = Self.marker
        }
        return Batch(steps: length, batch: count, inputs: .tokens(inputs), targets: targets)
    }
}
