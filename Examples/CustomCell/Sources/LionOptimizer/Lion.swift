import RecurrentCore

/// The sign of a momentum (Chen et al. 2023, “Symbolic discovery of optimization
/// algorithms”): every parameter moves by the learning rate.
public struct Lion: Optimizer, Plugin {
    public static let name = "lion"
    public static let summary = "sign of a momentum (Chen et al. 2023)"

    /// The decays of what is stepped along and of what is kept.
    public struct Options: OptionSection {
        /// The momentum's part in the step, in 0..<1.
        public var beta1 = 0.9
        /// The decay of the momentum that is kept, in 0..<1.
        public var beta2 = 0.99
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("beta1", \.beta1, .within(0..<1), "Part of the momentum in the step."),
            .number("beta2", \.beta2, .within(0..<1), "Decay of the momentum that is kept."),
        ]
    }
    /// The decays of what is stepped along and of what is kept.
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
