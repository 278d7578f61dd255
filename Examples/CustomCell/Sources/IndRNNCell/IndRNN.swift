import RecurrentCore

/// The independently recurrent network (Li et al. 2018), whose units see their own last value and
/// no other's: `h' = σ(U x + w ⊙ h + b)`. There is no product in the time loop.
public struct IndRNN: ActivatedCell {
    public static let name = "indrnn"
    public static let summary = "independently recurrent units: h' = σ(U x + w ⊙ h + b) (Li et al. 2018)"
    public static var defaultActivation: any Activation { ReLU() }
    /// The nonlinearity σ.
    public let activation: any Activation

    public init(options: NoOptions, activation: any Activation) { self.activation = activation }
    /// Creates an IndRNN cell.
    ///
    /// - Parameter activation: the nonlinearity σ.
    public init(activation: any Activation = ReLU()) { self.activation = activation }

    public var parameters: [CellParameter] {
        [.inputWeight("U"), .perUnit("w", initialValue: 1), .inputBias("b")] + activation.cellParameters
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        [p.apply(activation, to: p.U • x + p.w * states[0] + p.b)]
    }
}
