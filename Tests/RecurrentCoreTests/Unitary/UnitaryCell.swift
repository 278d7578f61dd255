import RecurrentCore

/// A linear cell with a complex state `a + is` and a unitary weight: `z' = (A + iS) z + (U + iV) x`.
struct UnitaryCell: RecurrentCell {
    let name = "unitary"
    let summary = "z' = W z + (U + iV) x with WᴴW = I"
    var stateNames: [String] { ["a", "s"] }
    var slopeBounds: ClosedRange<Double>? { 1...1 }
    var parameters: [CellParameter] {
        [.inputWeight("U"), .inputWeight("V")] + CellParameter.unitaryWeight(real: "A", imaginary: "S")
    }
    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let (a, s) = (states[0], states[1])
        return [p.U • x + p.A • a - p.S • s, p.V • x + p.S • a + p.A • s]
    }
}
