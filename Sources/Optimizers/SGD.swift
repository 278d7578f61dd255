import RecurrentCore

/// Stochastic gradient descent with optional momentum, as in torch.optim.SGD.
public struct SGD: Optimizer, Plugin {
    public static let name = "sgd"
    public static let summary = "stochastic gradient descent with optional momentum"
    /// The momentum, its look-ahead, and an L2 penalty.
    public struct Options: OptionSection {
        /// The momentum factor, in 0..<1; 0 means no momentum.
        public var momentum = 0.0
        /// Whether to use Nesterov's look-ahead (Sutskever et al. 2013), which needs a momentum above 0.
        public var nesterov = false
        /// The factor of an L2 penalty on all parameters except the skew ones.
        public var weightDecay = 0.0
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("momentum", \.momentum, .within(0..<1), "Momentum of the gradient."),
            .flag("nesterov", \.nesterov, "Use Nesterov's look-ahead; needs a momentum above 0."),
            .penalty(\.weightDecay),
        ]
        public func validate() throws {
            guard nesterov, momentum == 0 else { return }
            throw RecurrentError.invalidOption("`nesterov` needs a `momentum` above 0")
        }
    }
    /// The options of this optimizer.
    public let options: Options

    public init(options: Options) { self.options = options }
    /// Creates an SGD optimizer.
    ///
    /// - Parameters:
    ///   - momentum: the momentum factor, in 0..<1; 0 means no momentum.
    ///   - nesterov: whether to use Nesterov's look-ahead, which needs a momentum above 0;
    ///     otherwise ``check()`` throws, as it does for a factor out of its range.
    ///   - weightDecay: the factor of an L2 penalty on all parameters except the skew ones.
    public init(momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0) {
        var options = Options()
        (options.momentum, options.nesterov, options.weightDecay) = (momentum, nesterov, weightDecay)
        self.init(options: options)
    }

    public var penalty: Double { options.weightDecay }
    public func withWeightDecay(_ weightDecay: Double) -> any Optimizer {
        var options = options
        options.weightDecay = weightDecay
        return SGD(options: options)
    }
    public func check() throws { try options.check() }
    public var stateCount: Int { options.momentum > 0 ? 1 : 0 }

    public func update(
        parameter: SymbolicValue, gradient: SymbolicValue, state: [SymbolicValue], rate: SymbolicValue,
        scalars: [SymbolicValue]
    ) -> (parameter: SymbolicValue, state: [SymbolicValue]) {
        let momentum = options.momentum
        guard momentum > 0 else { return (parameter - rate * gradient, []) }
        let velocity = momentum * state[0] + gradient
        let direction = options.nesterov ? gradient + momentum * velocity : velocity
        return (parameter - rate * direction, [velocity])
    }
}
