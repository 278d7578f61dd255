import RecurrentCore

/// Stochastic gradient descent, with momentum if asked, as torch.optim.SGD.
public struct SGD: Optimizer, Plugin {
    public static let name = "sgd"
    public static let summary = "gradient descent, with momentum if asked"
    /// Momentum, its look-ahead, and an L2 penalty.
    public struct Options: OptionSection {
        /// In 0..<1; 0 for none.
        public var momentum = 0.0
        /// Nesterov's look-ahead (Sutskever et al. 2013); needs momentum.
        public var nesterov = false
        /// The factor of an L2 penalty on every parameter but the skew ones.
        public var weightDecay = 0.0
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("momentum", \.momentum, .within(0..<1), "Momentum of the gradient."),
            .flag("nesterov", \.nesterov, "Nesterov's look-ahead; needs momentum."),
            .penalty(\.weightDecay),
        ]
        public func validate() throws {
            guard nesterov, momentum == 0 else { return }
            throw RecurrentError.invalidOption("`nesterov` needs a `momentum` above 0")
        }
    }
    public let options: Options

    public init(options: Options) { self.options = options }
    /// - Parameters:
    ///   - momentum: in 0..<1; 0 for none.
    ///   - nesterov: whether it looks ahead.
    ///   - weightDecay: the factor of an L2 penalty.
    public init(momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0) {
        var options = Options()
        (options.momentum, options.nesterov, options.weightDecay) = (momentum, nesterov, weightDecay)
        self.init(options: options)
    }

    public var penalty: Double { options.weightDecay }
    public var stateCount: Int { options.momentum > 0 ? 1 : 0 }

    public func update(
        parameter: SymbolicValue, gradient: SymbolicValue, state: [SymbolicValue], rate: SymbolicValue,
        scalars: [SymbolicValue]
    ) -> (parameter: SymbolicValue, state: [SymbolicValue]) {
        let momentum = options.momentum
        guard momentum > 0 else { return (parameter - rate * gradient, []) }
        let velocity = SymbolicValue(momentum) * state[0] + gradient
        let direction = options.nesterov ? gradient + SymbolicValue(momentum) * velocity : velocity
        return (parameter - rate * direction, [velocity])
    }
}
