import CPUBackend
import GRUCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing
import UGRUCell
import URNNCell
import VanillaRNNCell

/// Cells with one unit, one input, one step or one sequence, in which weights, biases and batches have the same shapes.
struct SmallestSizesTests {
    static let cells: [any RecurrentCell] = [
        VanillaRNN(activation: Tanh()), URNN(activation: ModReLU()), GRU(), GRU(resetGate: .before), UGRU(),
        CellGradientTests.SharedWeight(), CellGradientTests.PassThrough(), ComplexCell(),
    ]

    @Test(arguments: cells.indices, [(1, 1, 1, 1), (3, 1, 4, 3), (1, 3, 4, 1), (1, 1, 5, 4)])
    func gradientsAreRight(cell: Int, shape: (input: Int, hidden: Int, steps: Int, batch: Int)) throws {
        try checkCell(
            Self.cells[cell], on: ReferenceBackend(), inputWidth: shape.input, hiddenWidth: shape.hidden,
            steps: shape.steps, batch: shape.batch)
        try checkCell(
            Self.cells[cell], on: CPUBackend(threads: 1), against: ReferenceBackend(), inputWidth: shape.input,
            hiddenWidth: shape.hidden, steps: shape.steps, batch: shape.batch, tolerance: 1e-5)
    }
}
