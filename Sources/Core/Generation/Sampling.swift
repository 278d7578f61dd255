/// How the next token is chosen from a model's scores.
public struct Sampling: Sendable, Equatable {
    /// Scores are divided by it: below 1 likely tokens become likelier.
    public let temperature: Double
    /// Only this many of the likeliest tokens are drawn from; nil for all.
    public let topK: Int?
    /// Always the likeliest token; the other settings mean nothing then.
    public let isGreedy: Bool

    /// Draws from softmax(scores / temperature).
    ///
    /// - Parameters:
    ///   - temperature: above 0.
    ///   - topK: at least 1; nil for all tokens.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for a value out of range.
    public init(temperature: Double = 1, topK: Int? = nil) throws {
        guard temperature > 0, temperature.isFinite else {
            throw RecurrentError.invalidOption(
                "`temperature` must be above 0 and finite, not \(temperature); for the likeliest token each time, use `greedy`"
            )
        }
        if let topK, topK < 1 { throw RecurrentError.invalidOption("`topK` must be at least 1, not \(topK)") }
        self.temperature = temperature
        self.topK = topK
        isGreedy = false
    }

    private init(isGreedy: Bool) {
        temperature = 1
        topK = nil
        self.isGreedy = isGreedy
    }

    /// Draws from the probabilities as they are.
    public init() { self.init(isGreedy: false) }

    /// The likeliest token each time; of equal ones, the first.
    public static let greedy = Sampling(isGreedy: true)
}

/// The k largest of a list, without sorting it: a heap whose root is the smallest
/// that is kept. Of equal scores, the earlier index is kept.
struct LargestScores {
    /// After ``select(from:)``, the indices of the largest scores, ascending.
    private(set) var indices: [Int32] = []
    private let count: Int

    init(count: Int) {
        self.count = count
        indices.reserveCapacity(count)
    }

    mutating func select(from scores: UnsafeBufferPointer<Float>) {
        indices.removeAll(keepingCapacity: true)
        for index in 0..<min(count, scores.count) { indices.append(Int32(index)) }
        for place in (0..<indices.count / 2).reversed() { sift(place, scores) }
        for index in indices.count..<max(scores.count, indices.count) where scores[index] > scores[Int(indices[0])] {
            indices[0] = Int32(index)
            sift(0, scores)
        }
        indices.sort()
    }

    /// Moves the entry at `place` down to where both below it are better.
    private mutating func sift(_ start: Int, _ scores: UnsafeBufferPointer<Float>) {
        func isWorse(_ a: Int32, _ b: Int32) -> Bool {
            let (x, y) = (scores[Int(a)], scores[Int(b)])
            return x < y || (x == y && a > b)
        }
        var place = start
        while true {
            var worst = place
            for child in [2 * place + 1, 2 * place + 2] where child < indices.count {
                if isWorse(indices[child], indices[worst]) { worst = child }
            }
            guard worst != place else { return }
            indices.swapAt(place, worst)
            place = worst
        }
    }
}
