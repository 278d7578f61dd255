import RecurrentCore

/// What the toy tasks share: random sequences with one class each, kept or made
/// anew each epoch, and cut into batches.
///
/// Sequence `i` of a split (in epoch `e`, where training sequences are fresh) has
/// a random stream of its own, so that no two splits, epochs or sequences
/// share a number.
struct SequenceTask: Sendable {
    typealias Classify = @Sendable (UnsafeBufferPointer<Int32>) -> Int32

    let length: Int
    let symbols: Int
    let sizes: SplitSizes
    private let seed: UInt64
    private let freshEachEpoch: Bool
    private let classify: Classify
    private let order: ShuffledOrder
    /// By split, in the order of `Split.allCases`; empty where sequences are fresh.
    private let stored: [Sequences]

    /// Sequences one after the other, and their classes.
    private struct Sequences {
        var symbols: [Int32] = []
        var classes: [Int32] = []
    }

    init(
        length: Int, symbols: Int, sizes: SplitSizes, seed: UInt64, freshEachEpoch: Bool, classify: @escaping Classify
    ) throws {
        guard symbols <= Int(Int32.max) else {
            throw RecurrentError.invalidOption("there can be at most \(Int32.max) symbols, not \(symbols)")
        }
        try sizes.validate(length: length)
        self.length = length
        self.symbols = symbols
        self.sizes = sizes
        self.seed = seed
        self.freshEachEpoch = freshEachEpoch
        self.classify = classify
        order = ShuffledOrder(seed: seed, count: sizes.train)
        stored = Split.allCases.map { split in
            split == .train && freshEachEpoch
                ? Sequences()
                : Self.generate(
                    0..<sizes[split], of: split, epoch: 0, length: length, symbols: symbols, seed: seed,
                    classify: classify)
        }
    }

    func batchCount(_ split: Split, batchSize: Int) -> Int {
        precondition(batchSize >= 1, "a batch has at least one sequence")
        return (sizes[split] + batchSize - 1) / batchSize
    }

    /// The last batch of a split may be smaller.
    func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
        precondition(
            index >= 0 && index < batchCount(split, batchSize: batchSize), "batch \(index) is outside the \(split) split")
        let range = index * batchSize..<min((index + 1) * batchSize, sizes[split])
        if split == .train && freshEachEpoch {
            let made = Self.generate(
                range, of: split, epoch: epoch, length: length, symbols: symbols, seed: seed, classify: classify)
            return batch(of: made, Array(0..<range.count))
        }
        let sequences = stored[Split.allCases.firstIndex(of: split)!]
        guard split == .train else { return batch(of: sequences, Array(range)) }
        return batch(of: sequences, order.order(epoch: epoch)[range].map(Int.init))
    }

    /// Gathers sequences, time-major.
    private func batch(of sequences: Sequences, _ numbers: [Int]) -> Batch {
        let count = numbers.count
        let tokens = [Int32](unsafeUninitializedCapacity: length * count) { tokens, initialized in
            sequences.symbols.withUnsafeBufferPointer { symbols in
                for (column, number) in numbers.enumerated() {
                    for t in 0..<length { tokens[t * count + column] = symbols[number * length + t] }
                }
            }
            initialized = length * count
        }
        return Batch(
            steps: length, batch: count, inputs: .tokens(tokens), targets: numbers.map { sequences.classes[$0] })
    }

    private static func generate(
        _ numbers: Range<Int>, of split: Split, epoch: Int, length: Int, symbols: Int, seed: UInt64, classify: Classify
    ) -> Sequences {
        let purpose: RandomPurpose =
            switch split {
            case .train: .trainData
            case .valid: .validationData
            case .test: .testData
            }
        var classes = [Int32](repeating: 0, count: numbers.count)
        let all = [Int32](unsafeUninitializedCapacity: length * numbers.count) { all, initialized in
            for (row, number) in numbers.enumerated() {
                let sequence = UnsafeMutableBufferPointer(rebasing: all[row * length..<(row + 1) * length])
                UniformSymbols.fill(
                    sequence, below: UInt32(symbols),
                    key: RandomKey(seed: seed, purpose: purpose, stream: epoch, step: number))
                classes[row] = classify(UnsafeBufferPointer(sequence))
            }
            initialized = length * numbers.count
        }
        return Sequences(symbols: all, classes: classes)
    }
}
