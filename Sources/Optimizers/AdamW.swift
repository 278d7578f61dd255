import RecurrentCore

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019), as torch.optim.AdamW.
public struct AdamW: Optimizer {
    public let adam: Adam
    /// Of every parameter but the skew ones, per unit of learning rate.
    public let weightDecay: Double

    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01) {
        precondition(weightDecay >= 0)
        adam = Adam(beta1: beta1, beta2: beta2, epsilon: epsilon)
        self.weightDecay = weightDecay
    }

    public var name: String { "adamw" }
    public var summary: String { "Adam with decoupled weight decay (--weight-decay)" }
    public var stateCount: Int { adam.stateCount }
    public var scalarCount: Int { adam.scalarCount }
    public var withoutWeightDecay: any Optimizer { adam }
    public func scalars(step: Int) -> [Double] { adam.scalars(step: step) }

    public func update(
        parameter: Expression, gradient: Expression, state: [Expression], rate: Expression, scalars: [Expression]
    ) -> (parameter: Expression, state: [Expression]) {
        let decayed = parameter - rate * Expression(weightDecay) * parameter
        return adam.update(parameter: decayed, gradient: gradient, state: state, rate: rate, scalars: scalars)
    }
}
