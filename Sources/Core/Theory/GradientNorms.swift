/// The norms of `∂x_t/∂x_k` of some sequences, for one k and t = k, k + 1, ….
public struct GradientNorms: Sendable, Equatable {
    /// k, from 1.
    public let from: Int
    /// t = k first (the identity), the last step last.
    public let steps: [Step]

    public struct Step: Sendable, Equatable {
        /// t.
        public let step: Int
        /// Of each sequence.
        public let frobenius: Statistics
        /// Of each sequence; nil where it wasn't asked for.
        public let operatorNorm: Statistics?
    }

    /// Numbers of several sequences.
    public struct Statistics: Sendable, Equatable {
        public let values: [Double]
        public var mean: Double { values.reduce(0, +) / Double(values.count) }
        /// NaN if one of them is, as the mean.
        public var minimum: Double { values.contains(where: \.isNaN) ? .nan : values.min()! }
        public var maximum: Double { values.contains(where: \.isNaN) ? .nan : values.max()! }
    }

    /// `∂x_T/∂x_k`.
    public var last: Step { steps[steps.count - 1] }
}
