/// Chooses tokens from a model's scores, one text's with one sampler.
///
///     var sampler = try Sampler(Sampling(temperature: 0.8), seed: 1)
///     let next = try sampler.choose(from: session.step([token])[0])
///
/// Choice n is made with number n of a Philox stream, whatever other samplers choose.
public struct Sampler {
    /// How tokens are chosen.
    public let sampling: Sampling
    private var random: RandomStream
    private var largest: LargestScores?
    /// exp((score − maximum) / temperature) of all tokens.
    private var weights: [Float] = []
    private var sums: [Double] = []

    /// Creates a sampler.
    ///
    /// - Parameters:
    ///   - sampling: how tokens are chosen.
    ///   - seed: the seed of the draws.
    ///   - stream: the number of the text, for texts with one seed that are to differ.
    public init(_ sampling: Sampling, seed: UInt64 = 1, stream: Int = 0) {
        self.sampling = sampling
        random = RandomStream(RandomKey(seed: seed, purpose: .sampling, stream: stream))
    }

    /// Returns the next token.
    ///
    /// - Parameter scores: the logits of all tokens.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the scores are no finite numbers.
    public mutating func choose(from scores: Predictions.Row) throws -> Int {
        try scores.withUnsafeBufferPointer { try choose($0) }
    }

    private static let notFinite = RecurrentError.linearAlgebra(
        "the model's scores are no finite numbers: its weights are damaged, or its training diverged")

    private mutating func choose(_ scores: UnsafeBufferPointer<Float>) throws -> Int {
        let maximum = FastExponential.maximum(scores)
        guard maximum.isFinite else { throw Self.notFinite }
        if sampling.isGreedy { return scores.firstIndex(of: maximum)! }
        let number = random.uniform(), count = min(sampling.topK ?? scores.count, scores.count)
        let scale = Float(1 / sampling.temperature)
        guard count < scores.count || !scale.isFinite else { return try draw(number, scores, maximum, scale) }
        // Few tokens, or a temperature near 0: dividing in Double gives 0 for all but the likeliest token.
        if largest == nil { largest = LargestScores(count: count) }
        largest!.select(from: scores)
        func weight(_ index: Int32) -> Double {
            RealFunctions.exp(Double(scores[Int(index)] - maximum) / sampling.temperature)
        }
        var rest = number * largest!.indices.reduce(0) { $0 + weight($1) }
        for index in largest!.indices {
            rest -= weight(index)
            if rest < 0 { return Int(index) }
        }
        return scores.firstIndex(of: maximum)!
    }

    /// Draws from all tokens: first one of the blocks of weights, then a token of the block.
    private mutating func draw(
        _ number: Double, _ scores: UnsafeBufferPointer<Float>, _ maximum: Float, _ scale: Float
    ) throws -> Int {
        let block = FastExponential.block
        if weights.count != scores.count {
            weights = [Float](repeating: 0, count: scores.count)
            sums = [Double](repeating: 0, count: (scores.count + block - 1) / block)
        }
        weights.withUnsafeMutableBufferPointer { weights in
            sums.withUnsafeMutableBufferPointer {
                FastExponential.fill(weights, $0, scores, maximum: maximum, scale: scale)
            }
        }
        let sum = sums.reduce(0, +)
        guard sum.isFinite else { throw Self.notFinite }
        var rest = number * sum, start = 0
        while start / block < sums.count - 1, rest >= sums[start / block] {
            rest -= sums[start / block]
            start += block
        }
        for index in start..<weights.count {
            rest -= Double(weights[index])
            if rest < 0 { return index }
        }
        // Only rounding leads here.
        return weights.lastIndex { $0 > 0 } ?? scores.firstIndex(of: maximum)!
    }
}
