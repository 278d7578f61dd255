extension DatasetDescription {
    /// The measure that is reported beside the loss: the one that a task's literature uses.
    public enum Metric: String, Sendable, Codable {
        /// The share of correct predictions among those that count for the accuracy.
        case accuracy
        /// The exponential of the mean loss per token.
        case perplexity
        /// The mean loss per character, in bits.
        case bitsPerCharacter
        /// The mean loss where it is a squared error.
        case squaredError
        /// The mean loss itself, whatever the loss is.
        case loss

        /// Returns the value of the measure for these sums.
        public func value(of sums: LossSums) -> Double {
            switch self {
            case .accuracy: sums.accuracy
            case .perplexity: sums.perplexity
            case .bitsPerCharacter: sums.meanLoss / RealFunctions.log(2)
            case .squaredError, .loss: sums.meanLoss
            }
        }

        /// The measure's name in reports, such as "bits per character".
        public var label: String {
            switch self {
            case .accuracy, .perplexity, .loss: rawValue
            case .bitsPerCharacter: "bits per character"
            case .squaredError: "squared error"
            }
        }

        /// Whether the measure is for predicting each next token of a text, so that losses are
        /// per token.
        public var isOfText: Bool { self == .perplexity || self == .bitsPerCharacter }
    }
}
