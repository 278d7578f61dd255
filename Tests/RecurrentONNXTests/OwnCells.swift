import RecurrentCore

/// An LSTM with peepholes (Gers & Schmidhuber 2000).
struct PeepholeLSTM: RecurrentCell {
    var name: String { "peephole" }
    var summary: String { "LSTM with peepholes" }
    var stateNames: [String] { ["h", "c"] }
    var parameters: [CellParameter] {
        let gates = ["i", "f", "g", "o"]
        return gates.map { .inputWeight("U_\($0)") } + gates.map { .recurrentWeight("W_\($0)") }
            + gates.map { .inputBias("b_\($0)") } + [.perUnit("P_i"), .perUnit("P_f"), .perUnit("P_o")]
    }
    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let (h, c) = (states[0], states[1])
        let i = sigmoid(p.U_i • x + p.b_i + p.W_i • h + p.P_i * c)
        let f = sigmoid(p.U_f • x + p.b_f + p.W_f • h + p.P_f * c)
        let memory = f * c + i * tanh(p.U_g • x + p.b_g + p.W_g • h)
        let o = sigmoid(p.U_o • x + p.b_o + p.W_o • h + p.P_o * memory)
        return [o * tanh(memory), memory]
    }
}

/// An LSTM whose gates are coupled, f = 1 − i, which ONNX's operator computes only as an option; with a second memory
/// that nothing reads.
struct CoupledLSTM: RecurrentCell {
    var name: String { "coupled" }
    var summary: String { "LSTM with coupled gates" }
    var stateNames: [String] { ["h", "c", "unused"] }
    var parameters: [CellParameter] {
        let gates = ["i", "g", "o"]
        return gates.map { .inputWeight("U_\($0)") } + gates.map { .recurrentWeight("W_\($0)") }
            + gates.map { .inputBias("b_\($0)") }
    }
    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let (h, c) = (states[0], states[1])
        let i = sigmoid(p.U_i • x + p.b_i + p.W_i • h)
        let memory = (1 - i) * c + i * tanh(p.U_g • x + p.b_g + p.W_g • h)
        return [sigmoid(p.U_o • x + p.b_o + p.W_o • h) * tanh(memory), memory, memory]
    }
}

/// A GRU as someone else would write it: with one set of biases, other names and another order, and in which the gate
/// says what is new (Cho et al. 2014) or, with `keeps`, what is kept.
struct OtherGRU: RecurrentCell {
    var keeps: Bool
    var isBefore = false
    var name: String { "other" }
    var summary: String { "a GRU, differently" }
    var parameters: [CellParameter] {
        [
            .recurrentWeight("candidate"), .inputWeight("from_input"), .recurrentBias("bias"), .inputWeight("A"),
            .recurrentWeight("B"), .inputWeight("C"), .recurrentWeight("D"), .perUnit("extra", initialValue: 0.1),
        ]
    }
    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let h = states[0]
        let gate = 1 / (1 + exp(-(p.A • x) - (p.B • h + 0.5) + p.extra))
        let reset = 1 / (exp(p.D • h * -2 - p.C • x) + 1)
        let memory = isBefore ? p.candidate • (h * reset) : (p.candidate • h) * reset
        let new = tanh(memory + p.bias + p.from_input • x)
        return [keeps ? new + gate * (h - new) : h + gate * (new - h)]
    }
}

/// The minimal gated unit (Zhou et al. 2016): a GRU whose update gate is its reset gate the other way round.
struct MGU: RecurrentCell {
    var name: String { "mgu" }
    var summary: String { "minimal gated unit" }
    var parameters: [CellParameter] {
        [
            .inputWeight("U_f"), .inputWeight("U_n"), .recurrentWeight("W_f"), .recurrentWeight("W_n"),
            .inputBias("b_f"), .inputBias("b_n"),
        ]
    }
    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let h = states[0]
        let f = sigmoid(p.U_f • x + p.W_f • h + p.b_f)
        return [(1 - f) * h + f * tanh(p.U_n • x + p.W_n • (f * h) + p.b_n)]
    }
}

/// Every operation that a cell can use, three products in a row, conditions that are computed with, and the input's own
/// elements, so that the widths must agree.
struct Everything: RecurrentCell {
    var name: String { "everything" }
    var summary: String { "every operation" }
    var stateNames: [String] { ["h", "second", "fixed", "seen"] }
    var parameters: [CellParameter] {
        [
            .inputWeight("U"), .recurrentWeight("W"), .recurrentWeight("V"), .recurrentBias("b"),
            .perUnit("v", initialValue: 0.5),
        ]
    }
    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let (h, second) = (states[0], states[1])
        let product = p.W • (p.V • (h * x) + p.b)
        let positive = product > h
        let isBoth = select(positive * (x > 0.1), exp(-abs(h)), sign(x) / (2 + min(x, second)))
        let counted = positive + (h == second) + (x > second) - (x == x)
        let curve = log(1 + h * h) - sqrt(abs(second) + 1) + max(-product, p.v) + sin(h) * cos(second) - erf(h)
        let seen = select(x, p.U • tanh(x), 0.25)
        let new = tanh(isBoth + 0.1 * counted + p.V • sigmoid(curve) + seen)
        return [new, select(h, new, second), p.v, select(x > 0, x, p.v)]
    }
}

/// A cell without an input.
struct Deaf: RecurrentCell {
    var name: String { "deaf" }
    var summary: String { "tanh of another product of the state, twice" }
    var parameters: [CellParameter] { [.recurrentWeight("W")] }
    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        [tanh(p.W • tanh(p.W • states[0]))]
    }
}

/// An RNN but for its weight's shape, which no operator has; the input is multiplied by blocks as well.
struct StructuredRNN: RecurrentCell {
    var name: String { "structured_rnn" }
    var summary: String { "tanh(K x + W h), with blocks" }
    var parameters: [CellParameter] {
        [
            .inputWeight("U"), .recurrentWeight("W", shape: .blockDiagonal(blocks: 3)),
            .recurrentWeight("K", shape: .blockDiagonal(blocks: 2)),
        ]
    }
    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        [tanh(p.K • tanh(p.U • x) + p.W • states[0])]
    }
}

/// A cell whose units differ in their numbers.
struct Numbered: RecurrentCell {
    var name: String { "numbered" }
    var summary: String { "x plus the number of the unit" }
    var parameters: [CellParameter] { [.inputWeight("U")] }
    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        [p.U • x + .columnIndex]
    }
}

/// The softplus, `log(1 + exp(x))`.
struct Softplus: Activation {
    var name: String { "softplus" }
    var summary: String { "log(1 + exp(x))" }
    var slopeBounds: ClosedRange<Double> { 0...1 }
    func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue { log(exp(x) + 1) }
}
