import RecurrentCore

/// A GRU but for one difference, with which no operator of ONNX computes it.
struct NotQuite: RecurrentCell {
    enum Difference: String, CaseIterable {
        case leak, factor, otherGate, gateOfCandidate, twoResets, resetOfInput, tripledCandidate, product, constantState
        case zoneout, directInput
    }
    var difference: Difference?

    var name: String { difference?.rawValue ?? "gru" }
    var summary: String { "almost a GRU" }
    var parameters: [CellParameter] {
        ["r", "z", "n"].flatMap { [.inputWeight("U_\($0)"), .recurrentWeight("W_\($0)"), .recurrentBias("b_\($0)")] }
    }

    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let h = states[0]
        var r = sigmoid(p.U_r • x + p.W_r • h + p.b_r)
        var z = sigmoid(p.U_z • x + p.W_z • h + p.b_z)
        var input = p.U_n • x
        if difference == .otherGate { z = tanh(p.U_z • x + p.W_z • h + p.b_z) }
        if difference == .gateOfCandidate { z = sigmoid(p.U_z • tanh(x) + p.W_z • h + p.b_z) }
        if difference == .product { z = sigmoid((p.U_z • x) * (p.W_z • h) + p.b_z) }
        if difference == .twoResets { r = r * r }
        if difference == .resetOfInput { input = r * input }
        if difference == .directInput { input = input + tanh(x) }
        var new = tanh(input + r * (p.W_n • h + p.b_n))
        if difference == .tripledCandidate { new = 3 * new }
        let kept = difference == .constantState ? 0.5 : h
        let result = (1 - z) * new + z * kept
        switch difference {
        case .leak: return [result + 1e-3 * h]
        case .factor: return [1.001 * result]
        case .zoneout: return [0.9 * result + 0.1 * h]
        default: return [result]
        }
    }
}
