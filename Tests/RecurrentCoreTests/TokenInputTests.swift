import CPUBackend
import GRUCell
import LSTMCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// Models whose first layer multiplies the embedding's rows instead of the vectors of all positions.
struct TokenInputTests {
    /// A state that also reads its input by itself.
    private struct Adding: RecurrentCell {
        var name: String { "adding" }
        var summary: String { "" }
        var parameters: [CellParameter] { [.inputWeight("U"), .recurrentWeight("W")] }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            [tanh(p.U • x + p.W • states[0]) + x]
        }
    }

    @Test func aCellThatReadsItsInputTakesVectors() throws {
        func takesTokens(_ cell: any RecurrentCell) throws -> Bool {
            try RecurrentLayer(
                cell, inputWidth: 4, hiddenWidth: 4, parameters: ParameterStore(), on: ReferenceBackend()
            ).takesTokens
        }
        #expect(try takesTokens(GRU()))
        #expect(try takesTokens(LSTM()))
        #expect(try !takesTokens(Adding()))
        #expect(throws: RecurrentError.self) {
            try StepCompiler.compile(Adding(), inputWidth: 4, hiddenWidth: 4, tokens: true)
        }
    }

    /// Dropout of the embedding's output, at a rate that drops nothing, makes the layer read vectors.
    @Test(arguments: [false, true])
    func modelsComputeTheSameFromTokensAsFromVectors(tied: Bool) throws {
        let vocabulary = 5, steps = 4, size = 6
        var random = RandomStream(RandomKey(seed: 4, purpose: .test))
        let tokens = (0..<2 * steps * size).map { _ in Int32(random.integer(below: vocabulary)) }
        let results = try [Set<ModelConfiguration.DropoutPlace>(), [.embedding]].map { places in
            let model = try SequenceModel(
                cell: GRU(),
                configuration: ModelConfiguration(
                    embeddingSize: 4, hiddenSize: 4, layers: 2, dropout: places.isEmpty ? 0 : 1e-300,
                    dropoutPlaces: places, tiesEmbedding: tied),
                data: DatasetDescription(
                    inputs: .tokens(vocabulary: vocabulary), targets: .positionClass(classes: vocabulary),
                    isContinuous: true, metric: .perplexity),
                on: ReferenceBackend(), seed: 3)
            #expect(model.readsTokens(positions: steps * size, isTraining: true) == places.isEmpty)
            #expect(model.readsTokens(positions: steps * size, isTraining: false))
            #expect(!model.readsTokens(positions: 2 * vocabulary - 1, isTraining: false))
            var all: [Double] = []
            // The states of the first batch carry over to the second.
            for step in 0..<2 {
                let batch = Batch(
                    steps: steps, size: size, inputs: .tokens(Array(tokens[..<(steps * size)])),
                    targets: Array(tokens[(steps * size)...]), startsSequences: step == 0)
                all.append(try model.computeGradients(batch, step: step).totalLoss)
                all += model.backend.download(model.parameters.allGradients, as: Double.self)
            }
            return all
        }
        #expect(results[0] != results[1], "both models read vectors")
        #expect(relativeError(results[0], results[1]) < 1e-12)
    }

    /// The sums by token are too large for a chunk's cache.
    @Test func manyTokens() throws {
        try checkTokens(
            GRU(), on: CPUBackend(threads: 2), hiddenWidth: 20, vocabulary: 1200, steps: 10, batch: 40, tolerance: 1e-5)
    }

    @Test func theNumberOfThreadsChangesNoBit() throws {
        func gradients(threads: Int) throws -> [Float] {
            let backend = try CPUBackend(threads: threads)
            let model = try SequenceModel(
                cell: LSTM(), configuration: ModelConfiguration(embeddingSize: 9, hiddenSize: 21),
                data: DatasetDescription(
                    inputs: .tokens(vocabulary: 10), targets: .sequenceClass(classes: 10), isContinuous: false,
                    metric: .accuracy),
                on: backend)
            var random = RandomStream(RandomKey(seed: 5, purpose: .test))
            func draw(_ count: Int) -> [Int32] { (0..<count).map { _ in Int32(random.integer(below: 10)) } }
            let batch = Batch(steps: 20, size: 130, inputs: .tokens(draw(20 * 130)), targets: draw(130))
            _ = try model.computeGradients(batch, step: 0)
            return backend.download(model.parameters.allGradients)
        }
        let once = try gradients(threads: 1)
        for threads in [2, 3, 16] { #expect(try gradients(threads: threads) == once) }
    }
}
