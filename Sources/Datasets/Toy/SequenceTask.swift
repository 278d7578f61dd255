import RecurrentCore

/// The common part of the paper's tasks: ``GeneratedSequences`` of uniform symbols with one
/// class each. Sequences that are the same in every epoch are drawn once and stored.
struct SequenceTask: Sendable {
    typealias Classify = @Sendable (UnsafeBufferPointer<Int32>) -> Int32

    let length: Int
    let symbols: Int
    private let sequences: GeneratedSequences
    private let classify: Classify
    /// The sequences of each split, in the order of `Split.allCases`; empty if they are fresh in
    /// each epoch.
    private let stored: [Drawn]

    /// Sequences, one after the other, and their classes.
    private struct Drawn {
        var symbols: [Int32] = []
        var classes: [Int32] = []
    }

    var sizes: SplitSizes { sequences.sizes }

    init(
        length: Int, symbols: Int, sizes: SplitSizes, seed: UInt64, freshEachEpoch: Bool, classify: @escaping Classify
    ) throws {
        guard symbols <= Int(Int32.max) else {
            throw RecurrentError.invalidOption("there can be at most \(Int32.max) symbols, not \(symbols)")
        }
        let sequences = try GeneratedSequences(sizes: sizes, length: length, seed: seed, freshEachEpoch: freshEachEpoch)
        self.length = length
        self.symbols = symbols
        self.sequences = sequences
        self.classify = classify
        stored = Split.allCases.map { split in
            guard !sequences.isFresh(split) else { return Drawn() }
            let keys = (0..<sizes[split]).map { sequences.key(split, epoch: 0, number: $0) }
            return Self.draw(keys, length: length, symbols: symbols, classify: classify)
        }
    }

    func batchCount(_ split: Split, batchSize: Int) -> Int { sequences.batchCount(split, batchSize: batchSize) }

    func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
        let numbers = sequences.numbers(split, epoch: epoch, index: index, batchSize: batchSize)
        guard sequences.isFresh(split) else { return batch(of: stored[Split.allCases.firstIndex(of: split)!], numbers) }
        let keys = numbers.map { sequences.key(split, epoch: epoch, number: $0) }
        return batch(of: Self.draw(keys, length: length, symbols: symbols, classify: classify), Array(numbers.indices))
    }

    /// Returns a batch of the drawn sequences with the given numbers, time-major.
    private func batch(of drawn: Drawn, _ numbers: [Int]) -> Batch {
        let count = numbers.count
        let tokens = [Int32](unsafeUninitializedCapacity: length * count) { tokens, initialized in
            drawn.symbols.withUnsafeBufferPointer { symbols in
                for (column, number) in numbers.enumerated() {
                    for t in 0..<length { tokens[t * count + column] = symbols[number * length + t] }
                }
            }
            initialized = length * count
        }
        return Batch(steps: length, size: count, inputs: .tokens(tokens), targets: numbers.map { drawn.classes[$0] })
    }

    private static func draw(_ keys: [RandomKey], length: Int, symbols: Int, classify: Classify) -> Drawn {
        var classes = [Int32](repeating: 0, count: keys.count)
        let all = [Int32](unsafeUninitializedCapacity: length * keys.count) { all, initialized in
            for (row, key) in keys.enumerated() {
                let sequence = UnsafeMutableBufferPointer(rebasing: all[row * length..<(row + 1) * length])
                UniformSymbols.fill(sequence, below: UInt32(symbols), key: key)
                classes[row] = classify(UnsafeBufferPointer(sequence))
            }
            initialized = length * keys.count
        }
        return Drawn(symbols: all, classes: classes)
    }
}
