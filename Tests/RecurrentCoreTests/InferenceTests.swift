import CPUBackend
import CoRNNCell
import GRUCell
import LEMCell
import LRUCell
import LSTMCell
import MinGRUCell
import NNRNNCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing
import UGRUCell
import URNNCell
import VanillaRNNCell

/// Compares sessions with whole sequences that the trained model evaluates.
struct InferenceTests {
    /// A cell that uses its input directly, so that the embedding itself is read.
    struct Residual: RecurrentCell {
        var name: String { "residual" }
        var summary: String { "h' = x + tanh(W h)" }
        var parameters: [CellParameter] { [.recurrentWeight("W"), .inputWeight("U")] }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            [x + tanh(p.W • states[0] + p.U • x)]
        }
    }

    static let cells: [any RecurrentCell] = [
        VanillaRNN(), URNN(activation: ModReLU()), GRU(), UGRU(resetGate: .before), LSTM(), CoRNN(), LEM(),
        MinGRU(), LRU(), NNRNN(), Residual(), ComplexCell(), StructuredCell(),
    ]
    static let vocabulary = 13

    static func backend(_ onCPU: Bool) throws -> any Backend {
        onCPU ? try CPUBackend(threads: 2) : ReferenceBackend()
    }

    static func languageModel(
        _ cell: any RecurrentCell, layers: Int = 1, zoneout: Double = 0, hidden: Int = 6, vocabulary: Int = vocabulary,
        on backend: any Backend
    ) throws -> SequenceModel {
        try SequenceModel(
            cell: cell,
            configuration: ModelConfiguration(
                embeddingSize: hidden, hiddenSize: hidden, layers: layers, zoneout: zoneout),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: vocabulary), targets: .positionClass(classes: vocabulary),
                isContinuous: true, metric: .perplexity),
            on: backend)
    }

    /// Each token's probability, step by step, is that of the loss of the whole sequence.
    @Test(arguments: cells.indices, [1, 2])
    func probabilitiesAreTheLosses(index: Int, layers: Int) throws {
        for onCPU in [false, true] {
            for zoneout in [0, 0.3] {
                let model = try Self.languageModel(
                    Self.cells[index], layers: layers, zoneout: zoneout, on: Self.backend(onCPU))
                let session = try TrainedModel(model).makeSession(streams: 3)
                let texts = [[3, 0, 7, 12, 7], [1, 1, 9, 4, 4], [12, 11, 10, 9, 8]]
                for position in 0..<4 {
                    let rows = try session.probabilities(after: texts.map { $0[position] })
                    for (text, row) in zip(texts, rows) {
                        let targets = [Int32](repeating: -1, count: position) + [Int32(text[position + 1])]
                        let sums = try model.evaluate(
                            Batch(
                                steps: position + 1, size: 1, inputs: .tokens(text[...position].map { Int32($0) }),
                                targets: targets))
                        let probability = Double(row[text[position + 1]])
                        #expect(abs(sums.meanLoss * Double(sums.count) + RealFunctions.log(probability)) < 1e-5)
                        #expect(abs(row.reduce(0, +) - 1) < 1e-5)
                    }
                }
            }
        }
    }

    /// A model of vectors that predicts a number: (prediction − target)² is the loss of the whole sequence.
    @Test(arguments: [false, true])
    func predictedNumbers(onCPU: Bool) throws {
        let model = try SequenceModel(
            cell: GRU(), configuration: ModelConfiguration(hiddenSize: 6, layers: 2),
            data: DatasetDescription(
                inputs: .vectors(width: 3), targets: .sequenceValue, isContinuous: false, metric: .loss),
            on: Self.backend(onCPU))
        let session = try TrainedModel(model).makeSession(streams: 2)
        let inputs: [[Float]] = (0..<5).map { t in (0..<6).map { Float(($0 * 7 + t * 5) % 11) / 5 - 1 } }
        for input in inputs { try session.advance(input) }
        let numbers = try session.scores().numbers
        for stream in 0..<2 {
            let values = inputs.flatMap { $0[stream * 3..<stream * 3 + 3] }
            let sums = try model.evaluate(Batch(steps: 5, size: 1, inputs: .vectors(values, width: 3), values: [0.25]))
            #expect(abs(Double((numbers[stream] - 0.25) * (numbers[stream] - 0.25)) - sums.meanLoss) < 1e-5)
        }
        #expect(
            throws: RecurrentError.invalidOption("this model predicts numbers, which `scores` returns, not classes")
        ) {
            try session.probabilities()
        }
        #expect(throws: RecurrentError.invalidOption("this model reads vectors of 3 numbers, not tokens")) {
            try session.advance([1, 2] as [Int])
        }
    }

    /// A stream's numbers have the same bits whatever other streams do.
    @Test(arguments: [false, true])
    func streamsDontDependOnOthers(onCPU: Bool) throws {
        let model = try TrainedModel(
            Self.languageModel(GRU(), layers: 2, hidden: 70, vocabulary: 500, on: Self.backend(onCPU)))
        let many = try model.makeSession(streams: 40), one = try model.makeSession()
        var random = RandomStream(RandomKey(seed: 3, purpose: .test))
        for step in 0..<30 {
            let active = (0..<40).filter { $0 == 17 || random.uniform() < 0.5 }.shuffled()
            let tokens = active.map { $0 == 17 ? step * 13 % 500 : Int(random.uniform() * 500) }
            let rows = try many.probabilities(after: tokens, streams: active)
            let alone = try one.probabilities(after: [step * 13 % 500])
            #expect(Array(rows[active.firstIndex(of: 17)!]) == Array(alone[0]), "step \(step)")
        }
        #expect(try many.state(of: 17) == one.state(of: 0))
    }

    /// Sessions in eight tasks that share the weights compute what they compute alone.
    @Test(arguments: [1, 2])
    func tasksShareAModel(threads: Int) async throws {
        let model = try TrainedModel(
            Self.languageModel(UGRU(), hidden: 64, vocabulary: 700, on: CPUBackend(threads: threads)))
        @Sendable func text(_ seed: Int) throws -> [[Int]] {
            let session = try model.makeSession(streams: 16)
            var tokens = (0..<16).map { ($0 * 31 + seed) % 700 }
            return try (0..<20).map { _ in
                tokens = try session.probabilities(after: tokens).map(\.largest)
                return tokens
            }
        }
        let expected = try (0..<8).map(text)
        try await withThrowingTaskGroup(of: (Int, [[Int]]).self) { group in
            for seed in 0..<8 { group.addTask { (seed, try text(seed)) } }
            for try await (seed, tokens) in group { #expect(tokens == expected[seed], "task \(seed)") }
        }
    }

    /// Sessions on a backend that computes one call after another take turns.
    @Test func sessionsTakeTurns() async throws {
        let model = try TrainedModel(Self.languageModel(GRU(), on: OneAtATime()))
        let alone = try model.makeSession(streams: 2).probabilities(after: [1, 2]).numbers
        try await withThrowingTaskGroup(of: [Float].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let session = try model.makeSession(streams: 2)
                    for _ in 0..<50 {
                        try session.reset()
                        _ = try session.probabilities(after: [1, 2])
                    }
                    return try session.probabilities().numbers
                }
            }
            for try await numbers in group { #expect(numbers == alone) }
        }
    }

    /// The weights of a model that is trained on are those of the moment.
    @Test func weightsAreACopy() throws {
        let model = try Self.languageModel(GRU(), on: CPUBackend(threads: 1))
        let trained = try TrainedModel(model)
        let before = try trained.makeSession().probabilities(after: [4]).numbers
        let name = "rnn.weight_hh_l0", values = try #require(trained.values(of: name))
        model.backend.fill(model.parameters.allValues, with: 0.1)
        #expect(try trained.makeSession().probabilities(after: [4]).numbers == before)
        #expect(trained.values(of: name) == values && values.count == 3 * 6 * 6)
        #expect(trained.values(of: "rnn.weight_hh_l9") == nil)
    }

    @Test func whatIsRefused() throws {
        let model = try TrainedModel(Self.languageModel(GRU(), on: CPUBackend(threads: 1)))
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "nothing is thrown"
        }
        #expect(message { _ = try model.makeSession(streams: 0) } == "a session needs at least 1 stream, not 0")
        let session = try model.makeSession(streams: 3)
        let before = try session.state(of: 1)
        #expect(message { try session.advance([1, 2]) } == "2 tokens for 3 streams; each reads one")
        #expect(message { try session.advance([1, 13, 2]) } == "token 13 is outside the vocabulary of 13")
        #expect(message { try session.advance([1], streams: [3]) } == "there is no stream 3 in a session of 3")
        #expect(message { try session.advance([1, 2], streams: [1, 1]) } == "stream 1 is named twice in one step")
        #expect(
            message { try session.advance([0.5] as [Float]) }
                == "this model reads tokens of a vocabulary of 13, not vectors")
        #expect(message { _ = try session.hiddenStates(layer: 1) }.hasPrefix("there is no state 0 of layer 1"))
        #expect(try session.state(of: 1) == before)
        let other = try TrainedModel(Self.languageModel(LSTM(), on: CPUBackend(threads: 1))).makeSession().state(of: 0)
        #expect(
            message { try session.setState(other, of: 0) }
                == "a state of cell 'lstm' with 1 layer of width 6 doesn't fit a model of cell 'gru' with 1 layer of width 6"
        )
        let words = Vocabulary(["a", "b"])
        #expect(
            message { _ = try TrainedModel(Self.languageModel(GRU(), on: ReferenceBackend()), vocabulary: words) }
                == "the vocabulary has 2 tokens, but the model's inputs are tokens of a vocabulary of 13")
    }
}
