// Foundation isn't imported because it has another SymbolicValue.
import RecurrentCore

/// A cell with a misspelt parameter.
struct FaultyCell: RecurrentCell, Plugin {
    static let name = "faulty"
    static let summary = "uses a weight that it doesn't declare"
    init(options: NoOptions = NoOptions()) {}
    var parameters: [CellParameter] { [.inputWeight("U_in"), .recurrentWeight("W_hidden")] }
    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        [tanh(p.U_in • x + p.W_hiden • states[0])]
    }
}
