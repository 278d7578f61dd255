import CPUBackend
import GRUCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// Cells whose output consists of several states.
struct OutputTests {
    private static func backend(_ onCPU: Bool) throws -> any Backend {
        onCPU ? try CPUBackend(threads: 2) : ReferenceBackend()
    }

    private static func model(
        _ targets: DatasetDescription.Targets, embedding: Int = 3, layers: Int = 1,
        isTied: Bool = false, dropout: Double = 0, on backend: any Backend = ReferenceBackend()
    ) throws -> SequenceModel {
        try SequenceModel(
            cell: ComplexCell(),
            configuration: ModelConfiguration(
                embeddingSize: embedding, hiddenSize: 2, layers: layers, dropout: dropout,
                dropoutPlaces: [.embedding, .output, .logits], locksDropout: dropout > 0.3, tiesEmbedding: isTied),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 5), targets: targets, isContinuous: false, metric: .accuracy),
            on: backend, seed: 4)
    }

    private static func batch(_ targets: Int, lengths: [Int]? = nil) -> Batch {
        Batch(
            steps: 4, size: 3, inputs: .tokens((0..<12).map { Int32($0 * 3 % 5) }),
            targets: (0..<targets).map { Int32($0 % 5) }, lengths: lengths)
    }

    @Test(arguments: [false, true]) func theOutputIsItsStatesSideBySide(onCPU: Bool) throws {
        let probe = try CellProbe(
            ComplexCell(), on: Self.backend(onCPU), inputWidth: 3, hiddenWidth: 4, steps: 5, batch: 2)
        let layer = probe.layer, backend = probe.backend
        #expect(layer.outputWidth == 8)
        let output = try probe.forward(probe.variables)
        let states: [[Double]] = (0..<3).map { backend.download(layer.states($0)) }
        let expected = (0..<10).flatMap { row in (0..<2).flatMap { states[$0][row * 4..<row * 4 + 4] } }
        #expect(output == expected && output.count == 5 * 2 * 8)
        let final: [Double] = backend.download(layer.finalOutput)
        #expect(final == Array(output[64...]))
        for state in 0..<3 {
            let last: [Double] = backend.download(layer.finalState(state))
            #expect(last == Array(states[state][32...]))
        }
    }

    @Test(arguments: [1, 2], [false, true]) func gradientsOfModels(layers: Int, isPerPosition: Bool) throws {
        let targets: DatasetDescription.Targets =
            isPerPosition ? .positionClass(classes: 5) : .sequenceClass(classes: 5)
        for lengths in [nil, [4, 2, 3]] {
            let model = try Self.model(targets, layers: layers)
            #expect(try gradientError(model, Self.batch(isPerPosition ? 12 : 3, lengths: lengths)) <= 1e-6)
            let shapes = Dictionary(uniqueKeysWithValues: model.parameters.entries.map { ($0.name, $0.shape) })
            #expect(shapes["decoder.weight"] == [5, 4] && shapes["rnn.weight_hh_l0"] == [4, 2])
            #expect(layers == 1 || shapes["rnn.weight_ih_l1"] == [4, 4])
        }
    }

    @Test(arguments: [0.2, 0.4]) func gradientsWithDropout(rate: Double) throws {
        let model = try Self.model(.positionClass(classes: 5), layers: 2, dropout: rate)
        #expect(try gradientError(model, Self.batch(12)) <= 1e-6)
    }

    /// A tied embedding is as wide as the output.
    @Test func tiedEmbeddings() throws {
        let model = try Self.model(.positionClass(classes: 5), embedding: 4, layers: 2, isTied: true)
        #expect(try gradientError(model, Self.batch(12)) <= 1e-6)
        #expect(
            throws: RecurrentError.invalidOption(
                "`tied` needs an `embeddingSize` equal to the output of 2 states, 4, not 2")
        ) {
            try Self.model(.positionClass(classes: 5), embedding: 2, isTied: true)
        }
    }

    /// What a session predicts after each token is what the model evaluates.
    @Test(arguments: [false, true], [1, 2]) func sessionsPredictFromAllOutputs(onCPU: Bool, layers: Int) throws {
        let model = try Self.model(.positionClass(classes: 5), layers: layers, on: Self.backend(onCPU))
        let session = try TrainedModel(model).makeSession(streams: 3)
        for step in 0..<3 {
            let tokens = (0..<3).map { ($0 + step * 2) % 5 }
            let rows = try session.probabilities(after: tokens)
            for stream in 0..<3 {
                let read = (0...step).map { Int32((stream + $0 * 2) % 5) }
                let sums = try model.evaluate(
                    Batch(
                        steps: step + 1, size: 1, inputs: .tokens(read),
                        targets: [Int32](repeating: -1, count: step) + [3]))
                #expect(abs(sums.totalLoss + RealFunctions.log(Double(rows[stream][3]))) < 1e-5)
            }
        }
        let some = try session.scores(streams: [2, 0]).numbers, all = try session.scores().numbers
        #expect(some == Array(all[10...]) + Array(all[..<5]))
        // States are read, branched and replaced one by one.
        let before = try (0..<3).map(session.state)
        #expect(before[0].numbers.count == layers * 3 * 2)
        #expect(try Array(before[1][layer: layers - 1, state: 1]) == Array(session.hiddenStates(state: 1)[2..<4]))
        try session.continueStreams([1, 1, 0])
        #expect(try (0..<3).map(session.state) == [before[1], before[1], before[0]])
        #expect(try session.scores().numbers == Array(all[5..<10]) + Array(all[5..<10]) + Array(all[..<5]))
        try session.setState(before[2], of: 0)
        // A saved state is in single precision.
        let again = try session.scores().numbers
        for (number, expected) in zip(again[..<5], all[10...]) { #expect(abs(number - expected) < 1e-5) }
    }

    @Test(arguments: [false, true]) func statesCarryOver(onCPU: Bool) throws {
        let backend = try Self.backend(onCPU)
        let probe = try CellProbe(ComplexCell(), on: backend, inputWidth: 3, hiddenWidth: 4, steps: 6, batch: 2)
        try probe.forward(probe.variables)
        let input = try backend.makeMatrix((0..<36).map { Double($0 % 7) / 7 }, rows: 12, columns: 3)
        let whole: [Double] = backend.download(try probe.layer.forward(input, steps: 6, batch: 2, options: .training))
        _ = try probe.layer.forward(input.rows(0..<8), steps: 4, batch: 2, options: .training)
        let rest: [Double] = backend.download(
            try probe.layer.forward(input.rows(8..<12), steps: 2, batch: 2, initial: .carried, options: .training))
        #expect(Array(whole[64...]) == rest)
        _ = try probe.layer.forward(
            input.rows(0..<4), steps: 2, batch: 2, initial: .carried, lengths: [2, 1], options: .training)
    }

    /// With one output state, a plan is what it was: its output's gradient has the width of a state.
    @Test func oneOutputIsTheFirstState() throws {
        let plan = try StepCompiler.compile(GRU(), inputWidth: 3, hiddenWidth: 4)
        #expect(plan.outputCount == 1 && plan.outputWidth == 4)
        #expect(plan.buffers.first { $0.role == .outputGradient }?.columns == 4)
        let two = try StepCompiler.compile(ComplexCell(), inputWidth: 3, hiddenWidth: 4)
        #expect(two.outputWidth == 8 && two.buffers.first { $0.role == .outputGradient }?.columns == 8)
    }

    @Test(arguments: [0, 3, -1]) func outputsAreStates(count: Int) throws {
        var cell = CellMistakeTests.Sketch()
        cell.stateNames = ["h", "c"]
        cell.equations = { x, states, p in
            [tanh(p.U • x + p.W_h • states.h + p.bias), states.c]
        }
        cell.outputCount = count
        #expect(
            throws: RecurrentError.cell(
                "cell 'sketch' has \(count) as its 'outputCount', which must be from 1 to 2, the number of its states"
            )
        ) {
            try StepCompiler.compile(cell, inputWidth: 3, hiddenWidth: 4)
        }
    }
}
