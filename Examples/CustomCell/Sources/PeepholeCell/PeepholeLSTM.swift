import RecurrentCore

/// An LSTM whose gates also see its memory, through a weight per unit (Gers & Schmidhuber 2000,
/// “Recurrent nets that time and count”).
public struct PeepholeLSTM: RecurrentCell, Plugin {
    public static let name = "peephole"
    public static let summary = "LSTM whose gates see its memory (Gers & Schmidhuber 2000)"

    /// Whether forgetting has a gate of its own.
    public enum Gates: String, CaseIterable, Sendable {
        /// The forget gate f and the input gate i are two.
        case separate
        /// What is forgotten makes room for what is new: f = 1 − i (Greff et al. 2017).
        case coupled
    }
    /// The choice of the gates, and their bias.
    public struct Options: OptionSection {
        /// A number that is added to the forget gate's argument, in -10...10.
        public var forgetShift = 1.0
        /// Whether forgetting has a gate of its own.
        public var gates = Gates.separate
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("forgetShift", \.forgetShift, .within(-10...10), "Added to the forget gate's argument."),
            .choice("gates", \.gates, "Gates of input and forgetting: separate, or coupled as f = 1 − i."),
        ]
    }
    /// The choice of the gates, and their bias.
    public let options: Options

    public init(options: Options = Options()) { self.options = options }

    // The first state is the output.
    public var stateNames: [String] { ["h", "c"] }
    public var parameters: [CellParameter] {
        let gates = options.gates == .separate ? ["i", "f", "g", "o"] : ["i", "g", "o"]
        return gates.map { .inputWeight("U_\($0)") } + gates.map { .recurrentWeight("W_\($0)") }
            + gates.map { .inputBias("b_\($0)") } + gates.filter { $0 != "g" }.map { .perUnit("p_\($0)") }
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let (h, c) = (states[0], states[1])
        let i: SymbolicValue, f: SymbolicValue
        switch options.gates {
        case .separate:
            i = sigmoid(p.U_i • x + p.W_i • h + p.p_i * c + p.b_i)
            f = sigmoid(p.U_f • x + p.W_f • h + p.p_f * c + p.b_f + options.forgetShift)
        case .coupled:
            i = sigmoid(p.U_i • x + p.W_i • h + p.p_i * c + p.b_i - options.forgetShift)
            f = 1 - i
        }
        let memory = f * c + i * tanh(p.U_g • x + p.W_g • h + p.b_g)
        // The output gate sees the new memory, the others the old one.
        let o = sigmoid(p.U_o • x + p.W_o • h + p.p_o * memory + p.b_o)
        return [o * tanh(memory), memory]
    }
}
