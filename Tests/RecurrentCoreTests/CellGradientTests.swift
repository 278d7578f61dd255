import CPUBackend
import GRUCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing
import UGRUCell
import URNNCell
import VanillaRNNCell

/// Every cell with every activation, and cells of unusual shape.
struct CellGradientTests {
    static let activations: [any Activation] = [
        Identity(), AbsoluteValue(), ReLU(), LeakyReLU(), LeakyReLU(slope: 0.95), Tanh(), Sigmoid(), ModReLU(),
        Softsign(), GELU(), SiLU(), PReLU(), Snake(),
    ]
    static var cells: [any RecurrentCell] {
        activations.flatMap { activation -> [any RecurrentCell] in
            [
                VanillaRNN(activation: activation), URNN(activation: activation),
                GRU(activation: activation), GRU(activation: activation, resetGate: .before),
                UGRU(activation: activation), UGRU(activation: activation, resetGate: .before),
            ]
        } + [StepPlanTests.Highway(), SharedWeight(), PassThrough(), Chained(), ComplexCell(), StructuredCell()]
    }

    /// A cell with one weight in two products, and two states that feed each other.
    struct SharedWeight: RecurrentCell {
        var name: String { "shared" }
        var summary: String { "" }
        var stateNames: [String] { ["a", "b"] }
        var parameters: [CellParameter] { [.inputWeight("U"), .recurrentWeight("W"), .perUnit("s", initialValue: 1)] }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            let (a, b) = (states[0], states[1])
            let inner: SymbolicValue = tanh(p.W • a + p.U • x)
            return [tanh(p.W • (p.s * inner * b)) + 0.5 * b, sigmoid(inner) * a]
        }
    }

    /// A cell with a state that is only passed on, one that is not read, and a bias that changes nothing.
    struct PassThrough: RecurrentCell {
        var name: String { "pass-through" }
        var summary: String { "" }
        var stateNames: [String] { ["h", "old", "constant"] }
        var parameters: [CellParameter] { [.inputWeight("U"), .inputBias("b"), .recurrentBias("idle")] }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            [tanh(p.U • x + p.b + states[1]) + 0 * p.idle, states[0], 1]
        }
    }

    /// A cell with products of products, of the input and of the state.
    struct Chained: RecurrentCell {
        var name: String { "chained" }
        var summary: String { "" }
        var parameters: [CellParameter] { [.inputWeight("U"), .recurrentWeight("V"), .recurrentWeight("W")] }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            [tanh(p.V • (p.U • x) + p.W • (p.V • (p.W • states[0])) + p.U • x)]
        }
    }

    @Test(arguments: cells.indices)
    func gradientsAgreeWithCentralDifferences(index: Int) throws {
        let cell = Self.cells[index]
        let isHighway = cell.name == "highway"
        try checkCell(cell, on: ReferenceBackend(), inputWidth: isHighway ? 4 : 3)
    }

    @Test(arguments: cells.indices)
    func cpuAgreesWithReference(index: Int) throws {
        let cell = Self.cells[index]
        let isHighway = cell.name == "highway"
        // Two blocks need an even number of units.
        try checkCell(
            cell, on: CPUBackend(), against: ReferenceBackend(), inputWidth: isHighway ? 19 : 7,
            hiddenWidth: cell.name == "structured" ? 18 : 19)
    }

    static let torch: [(String, any RecurrentCell)] = [
        ("rnn_tanh", VanillaRNN(activation: Tanh())), ("rnn_relu", VanillaRNN()), ("rnn_relu", URNN()), ("gru", GRU()),
        ("gru", UGRU()), ("gru_two_layers", GRU()), ("gru_lengths", GRU()),
    ]

    @Test(arguments: torch.indices)
    func cellsGivePyTorchsNumbers(index: Int) throws {
        let (name, cell) = Self.torch[index]
        let fixture = try PyTorchFixture.load(name)
        try checkCell(cell, reproduces: fixture, on: ReferenceBackend(), tolerance: 1e-12)
        try checkCell(cell, reproduces: fixture, on: CPUBackend(), tolerance: 1e-5)
    }
}
