import GRUCell
import LEMCell
import LRUCell
import LSTMCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing
import UGRUCell
import URNNCell
import VanillaRNNCell

/// The plans that the step compiler makes of the cells.
struct StepPlanTests {
    static let oneStage: [any RecurrentCell] = [
        VanillaRNN(), VanillaRNN(activation: Tanh()), URNN(activation: AbsoluteValue()), URNN(activation: ModReLU()),
        GRU(), UGRU(),
    ]

    private func plan(_ cell: any RecurrentCell, training: Bool = true, masked: Bool = false) throws -> RecurrencePlan {
        try StepCompiler.compile(cell, inputWidth: 3, hiddenWidth: 5, training: training, masked: masked)
    }

    @Test(arguments: oneStage.indices, [false, true])
    func oneProductAndOneKernelAStep(index: Int, masked: Bool) throws {
        let plan = try plan(Self.oneStage[index], masked: masked)
        #expect(plan.forwardLoop.count { $0.isGEMM } == 1)
        #expect(plan.forwardLoop.count { $0.isKernel } == 1)
        #expect(plan.backwardLoop.count { $0.isGEMM } == 1)
        #expect(plan.backwardLoop.count { $0.isKernel } == 1)
    }

    @Test(arguments: oneStage.indices)
    func inputProductsAreHoistedIntoOne(index: Int) throws {
        let cell = Self.oneStage[index]
        let plan = try plan(cell)
        let gates = cell.parameters.count { $0.kind == .inputWeight }
        guard case .gemm(let a, let b, let result, _) = plan.prelude.first, plan.prelude.count == 1 else {
            Issue.record("the prelude is \(plan.prelude)")
            return
        }
        #expect(plan.buffers[a.buffer].role == .input)
        #expect(b.rows == 0..<gates * 5)
        #expect(result.columns == gates * 5)
        for case .gemm(let a, _, _, _) in plan.forwardLoop { #expect(plan.buffers[a.buffer].role != .input) }
    }

    /// For tokens, the input's products are those of the embedding, looked up once, and so are their gradients.
    @Test(arguments: oneStage.indices)
    func tokensAreMultipliedOnceEach(index: Int) throws {
        let vectors = try plan(Self.oneStage[index])
        let plan = try StepCompiler.compile(Self.oneStage[index], inputWidth: 3, hiddenWidth: 5, tokens: true)
        #expect(plan.readsTokens && !vectors.readsTokens)
        guard plan.prelude.count == 2, case .gemm(let a, _, let products, _) = plan.prelude[0],
            case .lookup(let table, let rows) = plan.prelude[1]
        else {
            Issue.record("the prelude is \(plan.prelude)")
            return
        }
        #expect(plan.buffers[a.buffer].role == .embedding && plan.buffers[products.buffer].role == .perToken)
        #expect(table == products && plan.buffers[rows.buffer].role == .perStep)
        #expect(plan.forwardLoop.count == vectors.forwardLoop.count)
        guard case .tokenSum(let delta, let sums) = plan.epilogue[0],
            case .gemm(_, _, let gradient, true) = plan.epilogue.last
        else {
            Issue.record("the epilogue is \(plan.epilogue)")
            return
        }
        #expect(delta.buffer == rows.buffer && sums == table)
        #expect(plan.buffers[gradient.buffer].role == .embeddingGradient)
        // The sums serve the biases, too, as far as these have the same δ.
        for case .vectorGradient(let delta, _) in plan.epilogue { #expect(delta.buffer != rows.buffer) }
    }

    @Test(arguments: oneStage.indices)
    func weightGradientsAreDeferredToOneProductEach(index: Int) throws {
        let plan = try plan(Self.oneStage[index])
        var written: [Int] = []
        for case .weightGradient(_, _, let result) in plan.epilogue { written.append(result.buffer) }
        let matrices = plan.parameters.indices.filter { plan.parameters[$0].name.hasPrefix("weight") }
        #expect(
            written.map { plan.buffers[$0].role }.sorted { "\($0)" < "\($1)" }
                == matrices.map { .parameterGradient(index: $0) })
        for operation in plan.backwardLoop {
            if case .weightGradient = operation { Issue.record("a weight gradient inside the loop") }
        }
    }

    @Test func neighbouringBiasesAreOneColumnSum() throws {
        let plan = try plan(GRU())
        var sums = 0
        for case .vectorGradient(let delta, let results) in plan.epilogue {
            sums += 1
            #expect(delta.columns == 15 && results.map(\.columns) == [15])
        }
        #expect(sums == 2)
    }

    /// Cho's reset gate: `W_n` waits for `r h`, so there is a second stage.
    @Test func aSecondProductGetsASecondStage() throws {
        let plan = try plan(GRU(resetGate: .before))
        #expect(plan.forwardLoop.map(\.isGEMM) == [true, false, true, false])
        #expect(plan.backwardLoop.map(\.isGEMM) == [false, true, false, true])
    }

    @Test func aReLUNetworkKeepsOnlyItsStates() throws {
        let plan = try plan(VanillaRNN())
        let kept = plan.buffers.filter { $0.role == .perStep }.map { String($0.name.prefix { $0 != "." }) }
        #expect(kept == ["hoisted"])  // in which δ takes the place of U x
    }

    /// All products of an LSTM have the δ of the input's, and so have both of its biases.
    @Test func equalDeltasAreStoredAndAddedUpOnce() throws {
        let plan = try plan(LSTM())
        #expect(!plan.buffers.contains { $0.name.hasPrefix("delta") })
        var sums: [Int] = []
        for case .vectorGradient(_, let results) in plan.epilogue { sums.append(results.count) }
        #expect(sums == [2])
    }

    /// The time loop of an LRU has no exponentials or angles: they are those of vectors, of which three are read.
    @Test func whatVectorsAloneDetermineIsComputedOnce() throws {
        for training in [true, false] {
            let plan = try plan(LRU(), training: training)
            #expect(plan.buffers.first { $0.role == .derivedVectors }?.columns == 15)
            for case .kernel(let program, _, _) in plan.forwardLoop + plan.backwardLoop {
                #expect(!plan.programs[program].instructions.contains { $0.operation.isTranscendental })
            }
        }
        #expect(try !plan(URNN(activation: ModReLU())).buffers.contains { $0.role == .derivedVectors })
    }

    /// `W_y` needs its δ for those of `W_1`, `W_2` and `W_z`, which the input's products share.
    @Test func aDeltaThatAnEarlierProductNeedsHasItsOwnPlace() throws {
        let plan = try plan(LEM())
        #expect(plan.buffers.filter { $0.name.hasPrefix("delta") }.map(\.columns) == [5])
    }

    /// Two states, of which the second is made of the first one's new value and, perhaps, of its old one.
    private struct Chained: RecurrentCell {
        let readsOld: Bool
        var name: String { "chained" }
        var summary: String { "" }
        var stateNames: [String] { ["z", "y"] }
        var parameters: [CellParameter] { [.inputWeight("U"), .recurrentWeight("V"), .recurrentWeight("W")] }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            let z = tanh(p.U • x + p.V • states.y)
            return [z, tanh(p.W • z + (readsOld ? states.z : states.y))]
        }
    }

    /// A new state that is multiplied is written once, where it is kept, unless the old one is still needed.
    @Test func newStatesAreOperands() throws {
        func operands(_ cell: any RecurrentCell, masked: Bool = false) throws -> Int {
            try plan(cell, masked: masked).buffers.count { $0.name.hasPrefix("operand") }
        }
        #expect(try operands(LRU()) == 0 && operands(LEM()) == 0)
        #expect(try operands(LRU(), masked: true) == 2)
        #expect(try operands(Chained(readsOld: false)) == 0)
        #expect(try operands(Chained(readsOld: true)) == 1)
        for readsOld in [true, false] { try checkCell(Chained(readsOld: readsOld), on: ReferenceBackend()) }
    }

    @Test func aGRUSavesItsGatesInThePlaceOfTheHoistedProducts() throws {
        let plan = try plan(GRU())
        let extra = plan.buffers.filter { $0.role == .perStep && $0.name.hasPrefix("saved") }.map(\.columns)
        #expect(extra == [5])  // only W_n h; r, z and n replace U x
    }

    @Test func inferenceKeepsNothing() throws {
        let plan = try plan(GRU(), training: false)
        #expect(plan.backwardLoop.isEmpty && plan.epilogue.isEmpty)
        #expect(plan.buffers.count { $0.role == .perStep } == 1)  // the hoisted products
    }

    @Test func parametersHaveTorchsNamesAndShapes() throws {
        let plan = try plan(UGRU())
        #expect(plan.parameters.map(\.name) == ["weight_ih", "weight_hh", "bias_ih", "bias_hh"])
        #expect(plan.parameters.map { [$0.rows, $0.columns] } == [[15, 3], [15, 5], [1, 15], [1, 15]])
        #expect(plan.parameters[1].parts[2].parameter.constraint == .orthogonal)
    }

    /// A cell in which `x` is combined with the state outside a product.
    struct Highway: RecurrentCell {
        var name: String { "highway" }
        var summary: String { "" }
        var parameters: [CellParameter] { [.recurrentWeight("W"), .recurrentWeight("V")] }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            let h = states[0]
            let gate = sigmoid(p.W • h)
            return [gate * tanh(p.V • tanh(h)) + (1 - gate) * x]
        }
    }

    @Test func inputAndStatesOfDifferentWidthsDontMeet() throws {
        #expect(throws: RecurrentError.self) { try plan(Highway()) }
        _ = try StepCompiler.compile(Highway(), inputWidth: 5, hiddenWidth: 5)
    }
}
