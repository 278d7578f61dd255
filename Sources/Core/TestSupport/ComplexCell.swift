import RecurrentCore

/// A network of complex numbers with weights `A + i B`, whose output is `[Re h; Im h]`, and a leaky memory that the
/// output depends on.
package struct ComplexCell: RecurrentCell {
    package init() {}
    package var name: String { "complex" }
    package var summary: String { "complex states, side by side" }
    package var stateNames: [String] { ["re", "im", "memory"] }
    package var outputCount: Int { 2 }
    package var parameters: [CellParameter] {
        [
            .inputWeight("U_re"), .inputWeight("U_im"), .recurrentWeight("A"), .recurrentWeight("B"),
            .inputBias("b_re"), .inputBias("b_im"), .perUnit("leak", initialValue: 0.5),
        ]
    }
    package func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let (re, im, memory) = (states.re, states.im, states.memory)
        let newRe = tanh(p.U_re • x + p.A • re - p.B • im + p.b_re + p.leak * memory)
        let newIm = tanh(p.U_im • x + p.B • re + p.A • im + p.b_im)
        return [newRe, newIm, 0.5 * memory + newRe * newIm]
    }
}
