import RecurrentCore

/// RMSprop (Tieleman & Hinton 2012), as torch.optim.RMSprop.
public struct RMSprop: Optimizer {
    /// Of the mean square gradient (torch's alpha).
    public let decay: Double
    public let epsilon: Double

    public init(decay: Double = 0.99, epsilon: Double = 1e-8) {
        precondition((0..<1).contains(decay) && epsilon > 0)
        self.decay = decay
        self.epsilon = epsilon
    }

    public var name: String { "rmsprop" }
    public var summary: String { "gradient over its running root mean square" }
    public var stateCount: Int { 1 }

    public func update(
        parameter: Expression, gradient: Expression, state: [Expression], rate: Expression, scalars: [Expression]
    ) -> (parameter: Expression, state: [Expression]) {
        let square = Expression(decay) * state[0] + Expression(1 - decay) * gradient * gradient
        return (parameter - rate * gradient / (sqrt(square) + Expression(epsilon)), [square])
    }
}
