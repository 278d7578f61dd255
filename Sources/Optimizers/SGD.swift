import RecurrentCore

/// Stochastic gradient descent, with momentum if asked, as torch.optim.SGD.
public struct SGD: Optimizer {
    /// In 0..<1; 0 for none.
    public let momentum: Double
    /// Nesterov's look-ahead (Sutskever et al. 2013).
    public let nesterov: Bool

    public init(momentum: Double = 0, nesterov: Bool = false) {
        precondition((0..<1).contains(momentum) && (!nesterov || momentum > 0))
        self.momentum = momentum
        self.nesterov = nesterov
    }

    public var name: String { "sgd" }
    public var summary: String { "gradient descent (--momentum, --nesterov)" }
    public var stateCount: Int { momentum > 0 ? 1 : 0 }

    public func update(
        parameter: Expression, gradient: Expression, state: [Expression], rate: Expression, scalars: [Expression]
    ) -> (parameter: Expression, state: [Expression]) {
        guard momentum > 0 else { return (parameter - rate * gradient, []) }
        let velocity = Expression(momentum) * state[0] + gradient
        let direction = nesterov ? gradient + Expression(momentum) * velocity : velocity
        return (parameter - rate * direction, [velocity])
    }
}
