import RecurrentCore
import ReferenceBackend
import Testing
import VanillaRNNCell

/// What a designer gets wrong in a cell is an error with one line that says what would be right.
struct CellMistakeTests {
    typealias Value = SymbolicValue

    /// A cell made of closures, which may be wrong.
    struct Sketch: RecurrentCell {
        var name: String { "sketch" }
        var summary: String { "" }
        var stateNames = ["h"]
        var outputCount = 1
        var parameters: [CellParameter] = [.inputWeight("U"), .recurrentWeight("W_h"), .recurrentBias("bias")]
        var equations: @Sendable (Value, CellStates, CellSymbols) -> [Value] = { x, states, p in
            [tanh(p.U • x + p.W_h • states[0] + p.bias)]
        }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            equations(x, states, p)
        }
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        let cell: Sketch
        /// What the message says after the cell's name.
        let message: String
        var testDescription: String { message }

        init(_ message: String, _ change: (inout Sketch) -> Void) {
            var cell = Sketch()
            change(&cell)
            self.cell = cell
            self.message = message
        }
    }

    static let mistakes: [Mistake] = [
        Mistake("uses 'W_n', but its parameters are U, W_h, bias; did you mean 'W_h'?") {
            $0.equations = { x, states, p in [tanh(p.U • x + p.W_n • states[0] + p.bias)] }
        },
        Mistake("uses 'Bias', but its parameters are U, W_h, bias; did you mean 'bias'?") {
            $0.equations = { x, states, p in [tanh(p.U • x + p.W_h • states[0] + p.Bias)] }
        },
        Mistake("uses 'V', but its parameters are U, W_h, bias") {
            $0.equations = { x, states, p in [tanh(p.V • x + p.W_h • states[0] + p.bias)] }
        },
        Mistake("uses 'W', but declares no parameters") {
            $0.parameters = []
            $0.equations = { _, states, p in [tanh(p.W • states[0])] }
        },
        Mistake(
            "uses its vector 'bias' as a weight; write `p.bias` without `•`, or declare it as a weight, such as `.recurrentWeight(\"bias\")`"
        ) {
            $0.equations = { x, states, p in [tanh(p.U • x + p.W_h • states[0] + p.bias • states[0])] }
        },
        Mistake(
            "uses its weight 'W_h' as a vector; multiply it, as in `p.W_h • x`, or declare it as a vector, such as `.perUnit(\"W_h\")`"
        ) {
            $0.equations = { x, states, p in [tanh(p.U • x + p.W_h * states[0] + p.bias)] }
        },
        Mistake("declares parameter 'U' twice; each needs a name of its own") {
            $0.parameters.append(.inputBias("U"))
        },
        Mistake("declares a parameter without a name") { $0.parameters.append(.inputBias("")) },
        Mistake("declares 'U' with a constraint, which only recurrent weights may have") {
            $0.parameters[0] = CellParameter("U", .inputWeight, constraint: .orthogonal)
        },
        Mistake("declares initial values for 'W_h', whose constraint decides where it starts; remove them") {
            $0.parameters[1] = .recurrentWeight("W_h", constraint: .orthogonal, initialization: .constant(0))
        },
        Mistake(
            "declares 'W_h' as a part of a unitary weight without the other part beside it; declare both with `unitaryWeight(real:imaginary:)`"
        ) { $0.parameters[1] = .recurrentWeight("W_h", constraint: .unitaryReal) },
        Mistake(
            "declares 'W_h' as a part of a unitary weight without the other part beside it; declare both with `unitaryWeight(real:imaginary:)`"
        ) { $0.parameters[1] = .recurrentWeight("W_h", constraint: .unitaryImaginary) },
        Mistake(
            "declares 'V_h' as a part of a unitary weight without the other part beside it; declare both with `unitaryWeight(real:imaginary:)`"
        ) { $0.parameters.append(.recurrentWeight("V_h", constraint: .unitaryImaginary)) },
        Mistake("declares the parts of a unitary weight with a shape, as 'W_h'; they must be full") {
            $0.parameters[1] = .recurrentWeight("W_h", shape: .blockDiagonal(blocks: 2), constraint: .unitaryReal)
        },
        Mistake("declares 'U' with a shape, which only recurrent weights may have") {
            $0.parameters[0] = CellParameter("U", .inputWeight, shape: .diagonal)
        },
        Mistake("declares the diagonal weight 'W_h' with a constraint, which only matrices may have") {
            $0.parameters[1] = .recurrentWeight("W_h", shape: .diagonal, constraint: .orthogonal)
        },
        Mistake(
            "declares the triangular weight 'W_h' with a constraint; only full and block-diagonal weights may have one"
        ) {
            $0.parameters[1] = .recurrentWeight(
                "W_h", shape: .lowerTriangular(blockSize: 1), constraint: .orthogonal)
        },
        Mistake("declares 'W_h' with blocks of 0 rows; there must be at least 1") {
            $0.parameters[1] = .recurrentWeight("W_h", shape: .lowerTriangular(blockSize: 0))
        },
        Mistake(
            "transposes its input weight 'U'; only recurrent weights, which are square, can be transposed"
        ) {
            $0.equations = { x, states, p in [tanh(p.U.transposed • x + p.W_h • states[0] + p.bias)] }
        },
        Mistake("declares 'W_h' with 0 blocks; there must be at least 1") {
            $0.parameters[1] = .recurrentWeight("W_h", shape: .blockDiagonal(blocks: 0))
        },
        Mistake("declares 'bias_hh', a name under which other parameters are stored; rename it") {
            $0.parameters.append(.perUnit("bias_hh"))
        },
        Mistake("declares 'W_2', but its step never uses it; use it, or don't declare it") {
            $0.parameters.append(.recurrentWeight("W_2"))
        },
        Mistake("declares 'v', but its step never uses it; use it, or don't declare it") {
            $0.parameters.append(.perUnit("v"))
        },
        Mistake("has 1 state (h), but its step returned 2; return one new value for each") {
            $0.equations = { x, states, p in [tanh(p.U • x + p.W_h • states[0] + p.bias), states[0]] }
        },
        Mistake("has 2 states (h, c), but its step returned 1; return one new value for each") {
            $0.stateNames = ["h", "c"]
        },
        Mistake("has no states; name at least one in 'stateNames'") {
            $0.stateNames = []
            $0.equations = { _, _, _ in [] }
        },
        Mistake("names two of its states 'h'; each needs a name of its own") { $0.stateNames = ["h", "h"] },
        Mistake("reads state 1, but has one state, h, counted from 0; name all of them in 'stateNames'") {
            $0.equations = { x, states, p in [tanh(p.U • x + p.W_h • states[1] + p.bias)] }
        },
        Mistake("reads state 2, but has 2 states, h, c, counted from 0; name all of them in 'stateNames'") {
            $0.stateNames = ["h", "c"]
            $0.equations = { x, states, p in [tanh(p.U • x + p.W_h • states[2] + p.bias), states[1]] }
        },
        Mistake("reads state 'cells', but its states are h, cell; did you mean 'cell'?") {
            $0.stateNames = ["h", "cell"]
            $0.equations = { x, states, p in [tanh(p.U • x + p.W_h • states.h + p.bias), states.cells] }
        },
        Mistake(
            "multiplies weight 'W_h' by its vector 'bias' alone; the right operand of `•` is the input, a state, or what is computed from them"
        ) {
            $0.equations = { x, _, p in [tanh(p.U • x + p.W_h • p.bias)] }
        },
        Mistake(
            "multiplies weight 'W_h' by the constant 0.75; the right operand of `•` is the input, a state, or what is computed from them"
        ) {
            $0.equations = { x, _, p in [tanh(p.U • x + p.W_h • (1 - 0.25) + p.bias)] }
        },
        Mistake(
            "multiplies recurrent weight 'W_h', which takes 4 numbers, by the input, which has 3; declare it as `.inputWeight(\"W_h\")`, or give input and states the same width"
        ) {
            $0.equations = { x, states, p in [tanh(p.U • x + p.W_h • x + p.bias)] }
        },
        Mistake(
            "multiplies input weight 'U', which takes 3 numbers, by a value of the states' width, 4; declare it as `.recurrentWeight(\"U\")`, or give input and states the same width"
        ) {
            $0.equations = { x, states, p in [tanh(p.U • (p.W_h • states[0]) + p.bias)] }
        },
        Mistake("draws random numbers with `.uniform`, which no step can; use dropout or zoneout instead") {
            $0.equations = { x, states, p in [tanh(p.U • x + p.W_h • states[0] + p.bias + .uniform)] }
        },
        Mistake(
            "applies the activation 'modrelu' without its parameter 'modrelu_bias'; add `activation.cellParameters` to its parameters"
        ) {
            $0.equations = { x, states, p in [p.apply(ModReLU(), to: p.U • x + p.W_h • states[0] + p.bias)] }
        },
    ]

    private static let data = DatasetDescription(
        inputs: .tokens(vocabulary: 5), targets: .positionClass(classes: 5), isContinuous: true, metric: .perplexity)

    @Test(arguments: mistakes) func eachIsNamed(mistake: Mistake) throws {
        let expected = RecurrentError.cell("cell 'sketch' \(mistake.message)")
        #expect(throws: expected) { try StepCompiler.compile(mistake.cell, inputWidth: 3, hiddenWidth: 4) }
        #expect(throws: expected) {
            try RecurrentLayer(
                mistake.cell, inputWidth: 3, hiddenWidth: 4, parameters: ParameterStore(), on: ReferenceBackend())
        }
        #expect(throws: expected) {
            try SequenceModel(
                cell: mistake.cell, configuration: ModelConfiguration(embeddingSize: 3, hiddenSize: 4),
                data: Self.data, on: ReferenceBackend())
        }
    }

    @Test func aCellWithoutMistakesCompiles() throws {
        _ = try StepCompiler.compile(Sketch(), inputWidth: 3, hiddenWidth: 4)
    }

    /// Equal widths allow what different ones don't.
    @Test func widthsThatHappenToAgree() throws {
        var cell = Sketch()
        cell.equations = { x, states, p in [tanh(p.U • (p.W_h • x) + p.bias)] }
        _ = try StepCompiler.compile(cell, inputWidth: 4, hiddenWidth: 4)
        cell.equations = { x, states, p in [select(p.bias, x, p.U • x + p.W_h • states[0])] }
        _ = try StepCompiler.compile(cell, inputWidth: 4, hiddenWidth: 4)
        let error = #expect(throws: RecurrentError.self) {
            try StepCompiler.compile(cell, inputWidth: 3, hiddenWidth: 4)
        }
        #expect(error?.description.hasSuffix("the input has width 3, the states 4") == true)
    }

    /// A state that is the input itself has its width.
    @Test func anInputAsAState() throws {
        var cell = Sketch()
        cell.stateNames = ["h", "previous"]
        cell.equations = { x, states, p in [tanh(p.U • states.previous + p.W_h • states.h + p.bias), x] }
        _ = try StepCompiler.compile(cell, inputWidth: 4, hiddenWidth: 4)
        cell.equations = { x, states, p in [tanh(p.U • x + p.W_h • states.h + p.bias), x] }
        let error = #expect(throws: RecurrentError.self) {
            try StepCompiler.compile(cell, inputWidth: 3, hiddenWidth: 4)
        }
        #expect(error?.description.contains("returns its input as a state") == true)
    }

    /// States are found by their names and their numbers alike.
    @Test func statesHaveNames() throws {
        var byNumber = Sketch(), byName = Sketch()
        (byNumber.stateNames, byName.stateNames) = (["h", "c"], ["h", "c"])
        byNumber.equations = { x, states, p in
            let (h, c) = (states[0], states[1])
            return [tanh(p.U • x + p.W_h • h + p.bias) * c, h + c]
        }
        byName.equations = { x, states, p in
            [tanh(p.U • x + p.W_h • states.h + p.bias) * states.c, states.h + states.c]
        }
        let programs = try [byNumber, byName].map {
            try StepCompiler.compile($0, inputWidth: 3, hiddenWidth: 4).programs
        }
        #expect(programs[0] == programs[1])
    }
}
