import RecurrentCore

/// One long text cut into B streams that are read side by side, as PyTorch's
/// word_language_model does: stream `b` is the b-th of B equal pieces, and the
/// few tokens that remain are dropped.
struct TokenStream: Sendable {
    let tokens: [Int32]
    /// The number of tokens that are `<unk>` because the vocabulary lacks their word.
    let unknownCount: Int

    /// Whether the text has at least two different tokens.
    var hasSeveralTokens: Bool { tokens.contains { $0 != tokens[0] } }

    /// Returns the number of positions of each stream that have a next token to predict.
    func steps(batchSize: Int) -> Int { max(tokens.count / batchSize - 1, 0) }

    func batchCount(bptt: Int, batchSize: Int) -> Int {
        (steps(batchSize: batchSize) + bptt - 1) / bptt
    }

    /// Returns the `index`-th block of at most `bptt` steps of all streams, with the token after
    /// each position as its target.
    func batch(_ index: Int, bptt: Int, batchSize: Int) -> Batch {
        let length = tokens.count / batchSize
        let start = index * bptt
        let count = min(bptt, steps(batchSize: batchSize) - start)
        precondition(index >= 0 && count > 0, "batch \(index) is outside the text")
        func block(from start: Int) -> [Int32] {
            [Int32](unsafeUninitializedCapacity: count * batchSize) { block, initialized in
                tokens.withUnsafeBufferPointer { tokens in
                    for b in 0..<batchSize {
                        for t in 0..<count { block[t * batchSize + b] = tokens[b * length + start + t] }
                    }
                }
                initialized = count * batchSize
            }
        }
        return Batch(
            steps: count, size: batchSize, inputs: .tokens(block(from: start)), targets: block(from: start + 1),
            startsSequences: index == 0)
    }
}
