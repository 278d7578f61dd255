/// The sums of a loss over the rows that have a target, from which means follow.
public struct LossSums: Sendable, Equatable, Codable {
    /// The sum of the rows' losses, in nats where the loss is softmax cross-entropy; ``meanLoss`` is the mean.
    public var totalLoss: Double
    /// The number of rows that count for the accuracy and whose first largest logit is the
    /// target; 0 where numbers are predicted.
    public var correct: Int
    /// The number of rows that count for the loss.
    public var count: Int
    /// The number of these rows that count for the accuracy as well.
    public var accuracyCount: Int

    /// Creates sums from known numbers; without `accuracyCount` all rows count for the accuracy.
    public init(totalLoss: Double = 0, correct: Int = 0, count: Int = 0, accuracyCount: Int? = nil) {
        self.totalLoss = totalLoss
        self.correct = correct
        self.count = count
        self.accuracyCount = accuracyCount ?? count
    }

    /// Creates sums over the rows of these targets, with nothing added yet.
    ///
    /// - Parameters:
    ///   - targets: one class per row; rows with a negative one have no target.
    ///   - excludedClass: the class whose rows don't count for the accuracy, if there is one.
    public init(over targets: [Int32], excludedClass: Int?) {
        let count = targets.count { $0 >= 0 }
        let excluded = excludedClass.map { excludedClass in targets.count { Int($0) == excludedClass } } ?? 0
        self.init(count: count, accuracyCount: count - excluded)
    }

    private enum CodingKeys: String, CodingKey {
        case correct, count
        // The names that the first saved states used.
        case totalLoss = "loss"
        case accuracyCount = "rated"
    }

    /// Decodes saved sums. Sums saved before a class could be excluded count all rows for the accuracy.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            totalLoss: try values.decode(Double.self, forKey: .totalLoss),
            correct: try values.decode(Int.self, forKey: .correct), count: try values.decode(Int.self, forKey: .count),
            accuracyCount: try values.decodeIfPresent(Int.self, forKey: .accuracyCount))
    }

    /// Adds the sums over other rows.
    public static func += (a: inout LossSums, b: LossSums) {
        a.totalLoss += b.totalLoss
        a.correct += b.correct
        a.count += b.count
        a.accuracyCount += b.accuracyCount
    }
    /// The mean loss per row.
    public var meanLoss: Double { totalLoss / Double(Swift.max(count, 1)) }
    /// The share of correct rows among those that count for the accuracy.
    public var accuracy: Double { Double(correct) / Double(Swift.max(accuracyCount, 1)) }
    /// The exponential of the mean loss: the perplexity if the loss is cross-entropy.
    public var perplexity: Double { RealFunctions.exp(meanLoss) }
}
