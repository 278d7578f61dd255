import RecurrentCore

/// Adam (Kingma & Ba 2015), as torch.optim.Adam.
public struct Adam: Optimizer {
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double

    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8) {
        precondition((0..<1).contains(beta1) && (0..<1).contains(beta2) && epsilon > 0)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
    }

    public var name: String { "adam" }
    public var summary: String { "adaptive moments (the paper's)" }
    public var stateCount: Int { 2 }
    public var scalarCount: Int { 2 }

    /// `1 / (1 - beta1^t)` and `1 / sqrt(1 - beta2^t)`.
    public func scalars(step: Int) -> [Double] {
        [1 / (1 - power(beta1, step)), 1 / (1 - power(beta2, step)).squareRoot()]
    }

    public func update(
        parameter: Expression, gradient: Expression, state: [Expression], rate: Expression, scalars: [Expression]
    ) -> (parameter: Expression, state: [Expression]) {
        let mean = Expression(beta1) * state[0] + Expression(1 - beta1) * gradient
        let square = Expression(beta2) * state[1] + Expression(1 - beta2) * gradient * gradient
        let step = rate * scalars[0] * mean / (sqrt(square) * scalars[1] + Expression(epsilon))
        return (parameter - step, [mean, square])
    }

    private func power(_ base: Double, _ exponent: Int) -> Double {
        base == 0 ? 0 : RealFunctions.exp(Double(exponent) * RealFunctions.log(base))
    }
}
