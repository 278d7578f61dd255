import RecurrentCore

/// Lion, which steps along the sign of a momentum (Chen et al. 2023, “Symbolic discovery of
/// optimization algorithms”): every parameter moves by the learning rate.
public struct Lion: Optimizer, Plugin {
    public static let name = "lion"
    public static let summary = "sign of a momentum (Chen et al. 2023)"

    /// The options of Lion: the momentum's part in the step and the momentum's decay rate.
    public struct Options: OptionSection {
        /// The momentum's part in the step, in 0..<1.
        public var beta1 = 0.9
        /// The decay rate of the momentum that is kept, in 0..<1.
        public var beta2 = 0.99
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("beta1", \.beta1, .within(0..<1), "Momentum's part in the step."),
            .number("beta2", \.beta2, .within(0..<1), "Decay rate of the momentum that is kept."),
        ]
    }
    /// The options of this optimizer.
    public let options: Options

    public init(options: Options = Options()) { self.options = options }
    public var stateCount: Int { 1 }

    public func update(
        parameter: SymbolicValue, gradient: SymbolicValue, state: [SymbolicValue], rate: SymbolicValue,
        scalars: [SymbolicValue]
    ) -> (parameter: SymbolicValue, state: [SymbolicValue]) {
        func mean(_ beta: Double) -> SymbolicValue {
            SymbolicValue(beta) * state[0] + SymbolicValue(1 - beta) * gradient
        }
        return (parameter - rate * sign(mean(options.beta1)), [mean(options.beta2)])
    }
}
