import RecurrentCore

/// A recurrent operator of ONNX as a cell: its equations as the standard prints them, with the functions f, g and h.
///
/// The parameters are called U_x, W_x, b_x and c_x for the gate x: those of the input, of the state, and the two biases;
/// P_x are an LSTM's peepholes.
struct OperatorTemplate: RecurrentCell {
    enum Kind: Hashable, Sendable {
        case rnn
        /// `isAfter` says whether the reset gate acts after the product, which is `linear_before_reset`. If
        /// `isReversed`, the update gate is 1 − z, so the operator's weights are those of the cell with the other sign,
        /// since 1 − sigmoid(a) is sigmoid(−a).
        case gru(isAfter: Bool, isReversed: Bool)
        /// The operator's peepholes, which most cells don't have, are parameters only if the cell `hasPeepholes`: with
        /// them, an activation that arithmetic can take apart would lead to products of two unknown parameters.
        case lstm(hasPeepholes: Bool)
    }
    let kind: Kind
    let functions: [OperatorFunction]

    var name: String {
        switch kind {
        case .rnn: "RNN"
        case .gru: "GRU"
        case .lstm: "LSTM"
        }
    }
    var summary: String { "ONNX's operator \(name)" }

    /// The gates in the operator's order.
    var gates: [String] {
        switch kind {
        case .rnn: ["h"]
        case .gru: ["z", "r", "h"]
        case .lstm: ["i", "o", "f", "c"]
        }
    }
    /// The gates with peepholes in the operator's order.
    var peepholes: [String] { kind == .lstm(hasPeepholes: true) ? ["i", "o", "f"] : [] }
    var stateNames: [String] { if case .lstm = kind { ["h", "c"] } else { ["h"] } }

    var parameters: [CellParameter] {
        gates.map { .inputWeight("U_\($0)") } + gates.map { .recurrentWeight("W_\($0)") }
            + gates.map { .inputBias("b_\($0)") } + gates.map { .recurrentBias("c_\($0)") }
            + peepholes.map { .perUnit("P_\($0)") }
    }

    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let h = states[0]
        let f = functions[0].equation
        switch kind {
        case .rnn:
            return [f(p.U_h • x + p.W_h • h + p.b_h + p.c_h)]
        case .gru(let isAfter, let isReversed):
            let g = functions[1].equation
            let gate = f(p.U_z • x + p.W_z • h + p.b_z + p.c_z)
            let z = isReversed ? 1 - gate : gate
            let r = f(p.U_r • x + p.W_r • h + p.b_r + p.c_r)
            let new = g(p.U_h • x + p.b_h + (isAfter ? r * (p.W_h • h + p.c_h) : p.W_h • (r * h) + p.c_h))
            return [(1 - z) * new + z * h]
        case .lstm:
            let c = states[1], g = functions[1].equation
            func peephole(_ gate: String, _ c: SymbolicValue) -> SymbolicValue {
                peepholes.contains(gate) ? p[dynamicMember: "P_\(gate)"] as SymbolicValue * c : 0
            }
            let i = f(p.U_i • x + p.W_i • h + peephole("i", c) + p.b_i + p.c_i)
            let forget = f(p.U_f • x + p.W_f • h + peephole("f", c) + p.b_f + p.c_f)
            let memory = forget * c + i * g(p.U_c • x + p.W_c • h + p.b_c + p.c_c)
            let o = f(p.U_o • x + p.W_o • h + peephole("o", memory) + p.b_o + p.c_o)
            return [o * functions[2].equation(memory), memory]
        }
    }
}
