extension Batch {
    /// Returns one of several parts of the batch, which have consecutive sequences and are as equal as possible.
    ///
    /// - Parameters:
    ///   - index: the number of the part, from 0.
    ///   - count: the number of parts; if the batch has fewer sequences, some parts have none.
    func shard(_ index: Int, of count: Int) -> Batch {
        guard count > 1 else { return self }
        let part = Batch.sequences(ofShard: index, of: count, size: size)
        /// Takes the part's columns of values [B, width] or [T·B, width].
        func taken<T>(_ values: [T], width: Int = 1) -> [T] {
            var result: [T] = []
            result.reserveCapacity(values.count / size * part.count)
            for start in stride(from: 0, to: values.count, by: size * width) {
                result += values[start + part.lowerBound * width..<start + part.upperBound * width]
            }
            return result
        }
        let inputs: Inputs =
            switch inputs {
            case .tokens(let tokens): .tokens(taken(tokens))
            case .vectors(let vectors, let width): .vectors(taken(vectors, width: width), width: width)
            }
        let lengths = lengths.map { Array($0[part]) }
        return values.isEmpty
            ? Batch(
                steps: steps, size: part.count, inputs: inputs, targets: taken(targets), lengths: lengths,
                startsSequences: startsSequences)
            : Batch(
                steps: steps, size: part.count, inputs: inputs, values: taken(values, width: valueWidth),
                valueWidth: valueWidth, lengths: lengths, startsSequences: startsSequences)
    }

    /// Returns the sequences of a part of a batch of `size` sequences.
    static func sequences(ofShard index: Int, of count: Int, size: Int) -> Range<Int> {
        size * index / count..<size * (index + 1) / count
    }

    /// Returns for each part the number of rows that have a target, and over which its loss is a mean.
    func targetCounts(shards count: Int) -> [Int] {
        let hasTargets = hasTargets
        return (0..<count).map { index in
            let part = Batch.sequences(ofShard: index, of: count, size: size)
            return stride(from: 0, to: hasTargets.count, by: size).reduce(0) { sum, start in
                sum + part.count { hasTargets[start + $0] }
            }
        }
    }
}
