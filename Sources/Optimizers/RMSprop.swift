import RecurrentCore

/// RMSprop (Tieleman & Hinton 2012), as in torch.optim.RMSprop.
public struct RMSprop: Optimizer, Plugin {
    public static let name = "rmsprop"
    public static let summary = "gradient divided by its running root mean square"
    /// The decay rate of the mean, the epsilon added to the root, and an L2 penalty.
    public struct Options: OptionSection {
        /// The decay rate of the mean square gradient (torch's alpha), in 0..<1.
        public var decay = 0.99
        /// The number added to the root mean square gradient, above 0.
        public var epsilon = 1e-8
        /// The factor of an L2 penalty on all parameters except the skew ones.
        public var weightDecay = 0.0
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("decay", \.decay, .within(0..<1), "Decay rate of the mean square gradient (torch's alpha)."),
            .number("epsilon", \.epsilon, .above(0), "Number added to the root mean square gradient."),
            .penalty(\.weightDecay),
        ]
    }
    /// The options of this optimizer.
    public let options: Options

    public init(options: Options) { self.options = options }
    /// Creates an RMSprop optimizer.
    ///
    /// - Parameters:
    ///   - decay: the decay rate of the mean square gradient (torch's alpha), in 0..<1.
    ///   - epsilon: the number added to the root mean square gradient, above 0.
    ///   - weightDecay: the factor of an L2 penalty on all parameters except the skew ones.
    public init(decay: Double = 0.99, epsilon: Double = 1e-8, weightDecay: Double = 0) {
        var options = Options()
        (options.decay, options.epsilon, options.weightDecay) = (decay, epsilon, weightDecay)
        self.init(options: options)
    }

    public var penalty: Double { options.weightDecay }
    public func withWeightDecay(_ weightDecay: Double) -> any Optimizer {
        var options = options
        options.weightDecay = weightDecay
        return RMSprop(options: options)
    }
    public func check() throws { try options.check() }
    public var stateCount: Int { 1 }

    public func update(
        parameter: SymbolicValue, gradient: SymbolicValue, state: [SymbolicValue], rate: SymbolicValue,
        scalars: [SymbolicValue]
    ) -> (parameter: SymbolicValue, state: [SymbolicValue]) {
        let square = options.decay * state[0] + (1 - options.decay) * gradient * gradient
        return (parameter - rate * gradient / (sqrt(square) + options.epsilon), [square])
    }
}
