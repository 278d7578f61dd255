extension DatasetDescription {
    /// What is told beside the loss: the unit that a task's literature uses.
    public enum Metric: String, Sendable, Codable {
        case accuracy, perplexity, bitsPerCharacter, squaredError
        /// The mean loss itself, whatever the loss is.
        case loss

        /// The measure of these sums.
        public func value(of sums: LossSums) -> Double {
            switch self {
            case .accuracy: sums.accuracy
            case .perplexity: sums.perplexity
            case .bitsPerCharacter: sums.meanLoss / RealFunctions.log(2)
            case .squaredError, .loss: sums.meanLoss
            }
        }

        /// As people write it.
        public var label: String {
            switch self {
            case .accuracy, .perplexity, .loss: rawValue
            case .bitsPerCharacter: "bits per character"
            case .squaredError: "squared error"
            }
        }

        /// Whether each token's successor is predicted, so that losses are per token of a text.
        public var isOfText: Bool { self == .perplexity || self == .bitsPerCharacter }
    }
}
