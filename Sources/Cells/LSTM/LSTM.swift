import RecurrentCore

/// Long short-term memory (Hochreiter & Schmidhuber 1997, with forget gates), which has
/// two states, and torch.nn.LSTM's parameters and gate order i, f, g, o.
public struct LSTM: ActivatedCell {
    public static let name = "lstm"
    public static let summary = "LSTM as in torch.nn.LSTM"
    public static var defaultActivation: any Activation { Tanh() }
    /// The nonlinearity of the candidate and of the cell's output.
    public let activation: any Activation

    public init(options: NoOptions, activation: any Activation) { self.activation = activation }
    /// Creates an LSTM cell.
    ///
    /// - Parameter activation: the nonlinearity of the candidate and of the cell's output.
    public init(activation: any Activation = Tanh()) { self.activation = activation }

    public var stateNames: [String] { ["h", "c"] }
    public var parameters: [CellParameter] {
        let gates = ["i", "f", "g", "o"]
        return gates.map { .inputWeight("U_\($0)") } + gates.map { .recurrentWeight("W_\($0)") }
            + gates.map { .inputBias("b_i\($0)") } + gates.map { .recurrentBias("b_h\($0)") }
            + activation.cellParameters
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let (h, c) = (states[0], states[1])
        let i = sigmoid(p.U_i • x + p.b_ii + p.W_i • h + p.b_hi)
        let f = sigmoid(p.U_f • x + p.b_if + p.W_f • h + p.b_hf)
        let g = p.apply(activation, to: p.U_g • x + p.b_ig + p.W_g • h + p.b_hg)
        let o = sigmoid(p.U_o • x + p.b_io + p.W_o • h + p.b_ho)
        let memory = f * c + i * g
        return [o * p.apply(activation, to: memory), memory]
    }
}
