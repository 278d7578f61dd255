import RecurrentCore

/// Adam (Kingma & Ba 2015), as in torch.optim.Adam.
public struct Adam: Optimizer, Plugin {
    public static let name = "adam"
    public static let summary = "adaptive moment estimation (the paper's)"
    /// The decay rates of the moments, the epsilon added to the root, and an L2 penalty.
    public struct Options: OptionSection {
        /// The decay rate of the mean gradient, in 0..<1.
        public var beta1 = 0.9
        /// The decay rate of the mean square gradient, in 0..<1.
        public var beta2 = 0.999
        /// The number added to the root mean square gradient, above 0.
        public var epsilon = 1e-8
        /// The factor of an L2 penalty on all parameters except the skew ones.
        public var weightDecay = 0.0
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .beta1(\.beta1), .beta2(\.beta2), .adamEpsilon(\.epsilon), .penalty(\.weightDecay),
        ]
    }
    /// The options of this optimizer.
    public let options: Options

    public init(options: Options) { self.options = options }
    /// Creates an Adam optimizer.
    ///
    /// - Parameters:
    ///   - beta1: the decay rate of the mean gradient, in 0..<1.
    ///   - beta2: the decay rate of the mean square gradient, in 0..<1.
    ///   - epsilon: the number added to the root mean square gradient, above 0.
    ///   - weightDecay: the factor of an L2 penalty on all parameters except the skew ones.
    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0) {
        var options = Options()
        (options.beta1, options.beta2, options.epsilon, options.weightDecay) = (beta1, beta2, epsilon, weightDecay)
        self.init(options: options)
    }

    public var penalty: Double { options.weightDecay }
    public func withWeightDecay(_ weightDecay: Double) -> any Optimizer {
        var options = options
        options.weightDecay = weightDecay
        return Adam(options: options)
    }
    public func check() throws { try options.check() }
    public var stateCount: Int { 2 }
    public var scalarCount: Int { 2 }

    /// Returns the bias corrections `1 / (1 - beta1^t)` and `1 / sqrt(1 - beta2^t)` of step t.
    public func scalars(step: Int) -> [Double] {
        [1 / (1 - power(options.beta1, step)), 1 / (1 - power(options.beta2, step)).squareRoot()]
    }

    public func update(
        parameter: SymbolicValue, gradient: SymbolicValue, state: [SymbolicValue], rate: SymbolicValue,
        scalars: [SymbolicValue]
    ) -> (parameter: SymbolicValue, state: [SymbolicValue]) {
        let mean = options.beta1 * state[0] + (1 - options.beta1) * gradient
        let square = options.beta2 * state[1] + (1 - options.beta2) * gradient * gradient
        let step = rate * scalars[0] * mean / (sqrt(square) * scalars[1] + options.epsilon)
        return (parameter - step, [mean, square])
    }

    private func power(_ base: Double, _ exponent: Int) -> Double {
        base == 0 ? 0 : RealFunctions.exp(Double(exponent) * RealFunctions.log(base))
    }
}

extension OptionField {
    static func beta1(_ path: any WritableKeyPath<Section, Double> & Sendable) -> Self {
        .number("beta1", path, .within(0..<1), "Decay rate of the mean gradient.")
    }
    static func beta2(_ path: any WritableKeyPath<Section, Double> & Sendable) -> Self {
        .number("beta2", path, .within(0..<1), "Decay rate of the mean square.")
    }
    static func adamEpsilon(_ path: any WritableKeyPath<Section, Double> & Sendable) -> Self {
        .number("epsilon", path, .above(0), "Added to the root mean square.")
    }
    static func penalty(_ path: any WritableKeyPath<Section, Double> & Sendable) -> Self {
        .number("weightDecay", path, .atLeast(0), "Factor of an L2 penalty on all but B.")
    }
}
