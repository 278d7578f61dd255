import RecurrentCore

/// The paper's uGRU: a GRU whose candidate weight `W_n` stays orthogonal, while the reset
/// and update weights are free. Parameters and gate order r, z, n are torch.nn.GRU's.
public struct UGRU: ActivatedCell {
    public static let name = "ugru"
    public static let summary = "uGRU: a GRU whose candidate weight is orthogonal"
    public static var defaultActivation: any Activation { Tanh() }
    /// The choice of where the reset gate acts.
    public struct Options: OptionSection {
        /// Whether the reset gate acts after the recurrent product, as in torch.nn.GRU, or before it.
        public var resetGate = ResetGate.after
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .choice("resetGate", \.resetGate, "Where the reset gate acts: after the product (as torch) or before it.")
        ]
    }
    /// The nonlinearity of the candidate state.
    public let activation: any Activation
    /// The place where the reset gate acts: after the recurrent product or before it.
    public let resetGate: ResetGate

    public init(options: Options, activation: any Activation) {
        self.init(activation: activation, resetGate: options.resetGate)
    }
    /// Creates a uGRU cell.
    ///
    /// - Parameters:
    ///   - activation: the nonlinearity of the candidate state.
    ///   - resetGate: where the reset gate acts.
    public init(activation: any Activation = Tanh(), resetGate: ResetGate = .after) {
        self.activation = activation
        self.resetGate = resetGate
    }

    public var parameters: [CellParameter] {
        [
            .inputWeight("U_r"), .inputWeight("U_z"), .inputWeight("U_n"),
            .recurrentWeight("W_r"), .recurrentWeight("W_z"), .recurrentWeight("W_n", constraint: .orthogonal),
            .inputBias("b_ir"), .inputBias("b_iz"), .inputBias("b_in"),
            .recurrentBias("b_hr"), .recurrentBias("b_hz"), .recurrentBias("b_hn"),
        ] + activation.cellParameters
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let h = states[0]
        let r = sigmoid(p.U_r • x + p.b_ir + p.W_r • h + p.b_hr)
        let z = sigmoid(p.U_z • x + p.b_iz + p.W_z • h + p.b_hz)
        let memory = resetGate == .after ? r * (p.W_n • h + p.b_hn) : p.W_n • (r * h) + p.b_hn
        let n = p.apply(activation, to: p.U_n • x + p.b_in + memory)
        return [(1 - z) * n + z * h]
    }
}
