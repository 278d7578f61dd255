/// Sums over the rows that have a target.
public struct LossSums: Sendable, Equatable, Codable {
    /// The sum of the rows' losses: of softmax cross-entropy, in nats.
    public var loss: Double
    /// Rated rows whose first largest logit is the target; 0 where numbers are predicted.
    public var correct: Int
    /// The rows that count for the loss.
    public var count: Int
    /// Those of them that count for the accuracy.
    public var rated: Int

    /// Sums that are known; without `rated` all rows count for the accuracy.
    public init(loss: Double = 0, correct: Int = 0, count: Int = 0, rated: Int? = nil) {
        self.loss = loss
        self.correct = correct
        self.count = count
        self.rated = rated ?? count
    }

    /// Of nothing yet, over the rows of these targets.
    public init(over targets: [Int32], unrated: Int?) {
        let count = targets.count { $0 >= 0 }
        self.init(count: count, rated: unrated.map { unrated in count - targets.count { Int($0) == unrated } })
    }

    /// Sums that were saved before rows could be unrated have no number of these.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            loss: try values.decode(Double.self, forKey: .loss), correct: try values.decode(Int.self, forKey: .correct),
            count: try values.decode(Int.self, forKey: .count),
            rated: try values.decodeIfPresent(Int.self, forKey: .rated))
    }

    /// Adds the sums over other rows.
    public static func += (a: inout LossSums, b: LossSums) {
        a.loss += b.loss
        a.correct += b.correct
        a.count += b.count
        a.rated += b.rated
    }
    /// The loss per counted row.
    public var meanLoss: Double { loss / Double(Swift.max(count, 1)) }
    /// The share of the rated rows that are right.
    public var accuracy: Double { Double(correct) / Double(Swift.max(rated, 1)) }
    /// `exp` of the mean loss, where that is cross-entropy.
    public var perplexity: Double { RealFunctions.exp(meanLoss) }
}
