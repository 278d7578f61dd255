import RecurrentCore

/// A cell with recurrent weights of every shape, which multiply states and other values.
package struct StructuredCell: RecurrentCell {
    /// The number of blocks along the diagonals, which divides the number of units.
    package let blocks: Int
    package init(blocks: Int = 2) { self.blocks = blocks }
    package var name: String { "structured" }
    package var summary: String { "diagonal, block-diagonal, triangular and transposed weights" }
    package var stateNames: [String] { ["h", "c"] }
    package var parameters: [CellParameter] {
        [
            .inputWeight("U"), .recurrentWeight("F"), .recurrentWeight("d", shape: .diagonal),
            .recurrentWeight("B", shape: .blockDiagonal(blocks: blocks)),
            .recurrentWeight("C", shape: .blockDiagonal(blocks: blocks)), .recurrentWeight("e", shape: .diagonal),
            .recurrentWeight("T", shape: .lowerTriangular(blockSize: 2)), .inputBias("b"),
        ]
    }
    package func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let (h, c) = (states[0], states[1])
        let inner = tanh(p.U • x + p.B • h + p.d • c + p.b)
        let turned = p.F.transposed • (p.T • h) + p.C.transposed • c
        return [tanh(p.C • (inner * h) + p.B • c + p.F • h), 0.5 * c + p.e • inner + sin(turned)]
    }
}
