/// The norms of `∂x_t/∂x_k` for some sequences, one step k, and t = k, k + 1 and so on.
public struct GradientNorms: Sendable, Equatable {
    /// The step k, counted from 1.
    public let from: Int
    /// The norms at each step t, from t = k (where the derivative is the identity) to the last.
    public let steps: [Step]

    /// The norms at one step t.
    public struct Step: Sendable, Equatable {
        /// The step t, counted from 1.
        public let step: Int
        /// The Frobenius norm of each sequence.
        public let frobenius: Statistics
        /// The operator norm of each sequence; nil where it wasn't asked for.
        public let operatorNorm: Statistics?
    }

    /// A number for each of several sequences, and their mean, minimum and maximum.
    public struct Statistics: Sendable, Equatable {
        /// The values, one for each sequence.
        public let values: [Double]
        /// The mean of the values.
        public var mean: Double { values.reduce(0, +) / Double(values.count) }
        /// The smallest value; NaN if one of them is, like the mean.
        public var minimum: Double { values.contains(where: \.isNaN) ? .nan : values.min()! }
        /// The largest value; NaN if one of them is, like the mean.
        public var maximum: Double { values.contains(where: \.isNaN) ? .nan : values.max()! }
    }

    /// The norms at the last step.
    public var last: Step { steps[steps.count - 1] }
}
