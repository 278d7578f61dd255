import RecurrentCore

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019), as in torch.optim.AdamW.
public struct AdamW: Optimizer, Plugin {
    public static let name = "adamw"
    public static let summary = "Adam with decoupled weight decay"
    /// The options of ``Adam``, with decoupled weight decay in place of the L2 penalty.
    public struct Options: OptionSection {
        /// The decay rate of the mean gradient, in 0..<1.
        public var beta1 = 0.9
        /// The decay rate of the mean square gradient, in 0..<1.
        public var beta2 = 0.999
        /// The number added to the root mean square gradient, above 0.
        public var epsilon = 1e-8
        /// The weight decay of all parameters except the skew ones, per unit of learning rate.
        public var weightDecay = 0.01
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .beta1(\.beta1), .beta2(\.beta2), .adamEpsilon(\.epsilon),
            .number("weightDecay", \.weightDecay, .atLeast(0), "Weight decay (not of B) per unit of learning rate."),
        ]
    }
    /// The options of this optimizer.
    public let options: Options
    private let adam: Adam

    public init(options: Options) {
        self.options = options
        adam = Adam(beta1: options.beta1, beta2: options.beta2, epsilon: options.epsilon)
    }
    /// Creates an AdamW optimizer.
    ///
    /// - Parameters:
    ///   - beta1: the decay rate of the mean gradient, in 0..<1.
    ///   - beta2: the decay rate of the mean square gradient, in 0..<1.
    ///   - epsilon: the number added to the root mean square gradient, above 0.
    ///   - weightDecay: the weight decay of all parameters except the skew ones, per unit of learning rate.
    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01) {
        var options = Options()
        (options.beta1, options.beta2, options.epsilon, options.weightDecay) = (beta1, beta2, epsilon, weightDecay)
        self.init(options: options)
    }

    public func withWeightDecay(_ weightDecay: Double) -> any Optimizer {
        var options = options
        options.weightDecay = weightDecay
        return AdamW(options: options)
    }
    public func check() throws { try options.check() }
    public var stateCount: Int { adam.stateCount }
    public var scalarCount: Int { adam.scalarCount }
    public var withoutWeightDecay: any Optimizer { adam }
    public func scalars(step: Int) -> [Double] { adam.scalars(step: step) }

    public func update(
        parameter: SymbolicValue, gradient: SymbolicValue, state: [SymbolicValue], rate: SymbolicValue,
        scalars: [SymbolicValue]
    ) -> (parameter: SymbolicValue, state: [SymbolicValue]) {
        let decayed = parameter - rate * options.weightDecay * parameter
        return adam.update(parameter: decayed, gradient: gradient, state: state, rate: rate, scalars: scalars)
    }
}
