import CPUBackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// What a cell's vectors alone determine is computed before the time loop and differentiated after it.
struct DerivedVectorTests {
    /// A leak that is read as it is, through one function and through two, and as the operand of a product.
    struct Leaky: RecurrentCell {
        var name: String { "leaky" }
        var summary: String { "" }
        var parameters: [CellParameter] {
            [
                .inputWeight("U"), .recurrentWeight("W"), .recurrentWeight("V"), .perUnit("leak"), .perUnit("gain"),
            ]
        }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            let h = states[0], rate = sigmoid(p.leak)
            let new = tanh(p.U • x + p.W • h + p.leak * h + p.V • exp(-p.gain))
            return [(1 - rate) * h + rate * new / (1 + exp(rate * p.gain))]
        }
    }

    @Test func gradientsAreRight() throws {
        let plan = try StepCompiler.compile(Leaky(), inputWidth: 3, hiddenWidth: 5)
        // The rate, one minus the rate, what V is multiplied by, and the divisor; and their gradients.
        #expect(plan.buffers.filter { $0.role == .derivedVectors }.map(\.columns) == [20, 20])
        let reference = ReferenceBackend()
        try checkCell(Leaky(), on: reference)
        try checkCell(
            Leaky(), on: CPUBackend(threads: 2), against: reference, hiddenWidth: 20, steps: 20, batch: 5,
            tolerance: 1e-5)
    }
}
