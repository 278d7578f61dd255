import CPUBackend
import GRUCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing
import UGRUCell
import URNNCell
import VanillaRNNCell

/// Compares text that is generated token by token with whole sequences.
struct GeneratorTests {
    static let cells: [any RecurrentCell] = [
        VanillaRNN(), URNN(activation: AbsoluteValue()), GRU(), UGRU(resetGate: .before),
    ]
    private static let vocabulary = 13

    private func model(
        _ cell: any RecurrentCell, layers: Int = 1, on backend: any Backend, seed: UInt64 = 1
    ) throws -> SequenceModel {
        try SequenceModel(
            cell: cell, configuration: ModelConfiguration(embeddingSize: 7, hiddenSize: 5, layers: layers),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: Self.vocabulary), targets: .positionClass(classes: Self.vocabulary),
                isContinuous: true, metric: .perplexity),
            on: backend, seed: seed)
    }

    private func backend(_ onCPU: Bool) throws -> any Backend {
        onCPU ? try CPUBackend(threads: 2) : ReferenceBackend()
    }

    private func softmax(_ scores: [Float], temperature: Double = 1) -> [Double] {
        let powers = scores.map { RealFunctions.exp((Double($0) - Double(scores.max()!)) / temperature) }
        return powers.map { $0 / powers.reduce(0, +) }
    }

    /// Each token's score agrees with the loss of the whole sequence.
    @Test(arguments: cells.indices, [1, 2])
    func scoresAreTheLosses(index: Int, layers: Int) throws {
        for onCPU in [false, true] {
            let model = try model(Self.cells[index], layers: layers, on: backend(onCPU))
            let generator = try Generator(model, sampling: .greedy)
            let text = [3, 0, 7, 12, 7, 1, 1, 9]
            for count in 1..<text.count {
                generator.reset()
                for token in text[..<(count - 1)] { try generator.feed(token) }
                _ = try generator.next(after: text[count - 1])
                let targets = [Int32](repeating: -1, count: count - 1) + [Int32(text[count])]
                let sums = try model.evaluate(
                    Batch(steps: count, size: 1, inputs: .tokens(text[..<count].map { Int32($0) }), targets: targets))
                let probability = softmax(generator.lastScores)[text[count]]
                #expect(
                    abs(sums.totalLoss + RealFunctions.log(probability)) < 1e-5, "\(model.cell.name), token \(count)")
            }
        }
    }

    @Test func greedyTakesTheLargestScore() throws {
        let generator = try Generator(model(GRU(), on: ReferenceBackend()), sampling: .greedy)
        var token = 0
        for _ in 0..<20 {
            token = try generator.next(after: token)
            let scores = generator.lastScores
            #expect(token == scores.firstIndex(of: scores.max()!))
        }
    }

    /// Compares the frequencies of draws from one state with the probabilities.
    @Test(arguments: [nil, 1, 4, 12, 13, 100] as [Int?], [0.5, 1, 3])
    func drawsFollowTheProbabilities(topK: Int?, temperature: Double) throws {
        for onCPU in [false, true] {
            let generator = try Generator(
                model(GRU(), on: backend(onCPU)), sampling: Sampling(temperature: temperature, topK: topK), seed: 5)
            var counts = [Int](repeating: 0, count: Self.vocabulary)
            let draws = 4000
            for _ in 0..<draws {
                generator.reset()
                counts[try generator.next(after: 4)] += 1
            }
            let scores = generator.lastScores
            let kept = Set(scores.indices.sorted { scores[$0] > scores[$1] }.prefix(topK ?? scores.count))
            let all = softmax(scores, temperature: temperature)
            let sum = kept.reduce(0) { $0 + all[$1] }
            for token in counts.indices {
                guard kept.contains(token) else {
                    #expect(counts[token] == 0, "token \(token) isn't among the \(topK!) likeliest")
                    continue
                }
                let expected = Double(draws) * all[token] / sum
                // Five standard deviations of a binomial count.
                let margin = 5 * (expected * (1 - all[token] / sum)).squareRoot() + 1
                #expect(abs(Double(counts[token]) - expected) <= margin, "token \(token)")
            }
        }
    }

    private func write(_ count: Int, with generator: Generator, after first: Int = 0) throws -> [Int] {
        var token = first
        return try (0..<count).map { _ in
            token = try generator.next(after: token)
            return token
        }
    }

    @Test(arguments: [nil, 6] as [Int?])
    func theSeedDecides(topK: Int?) throws {
        func text(seed: UInt64, onCPU: Bool) throws -> [Int] {
            try write(
                60,
                with: Generator(
                    model(UGRU(), layers: 2, on: backend(onCPU)), sampling: Sampling(topK: topK), seed: seed))
        }
        let first = try text(seed: 1, onCPU: true)
        #expect(try text(seed: 1, onCPU: true) == first)
        #expect(try text(seed: 1, onCPU: false) == first)
        #expect(try text(seed: 2, onCPU: true) != first)
    }

    @Test func evaluationInBetweenChangesNothing() throws {
        let model = try model(GRU(), on: CPUBackend())
        let whole = try write(20, with: Generator(model, sampling: Sampling()))
        let generator = try Generator(model, sampling: Sampling())
        let begin = try write(10, with: generator)
        let batch = Batch(
            steps: 4, size: 3, inputs: .tokens([Int32](repeating: 2, count: 12)),
            targets: [Int32](repeating: 5, count: 12))
        _ = try model.evaluate(batch)
        _ = try model.computeGradients(batch, step: 0)
        #expect(try begin + write(10, with: generator, after: begin.last!) == whole)
    }

    /// Among equal scores the first ones are chosen.
    @Test func equalScores() throws {
        let model = try model(GRU(), on: CPUBackend())
        for (index, parameter) in model.parameters.entries.enumerated() where parameter.name.hasPrefix("decoder") {
            model.backend.fill(model.parameters.value(index), with: 0)
        }
        #expect(try write(5, with: Generator(model, sampling: .greedy)) == [0, 0, 0, 0, 0])
        let two = try write(50, with: Generator(model, sampling: Sampling(topK: 2)))
        #expect(Set(two) == [0, 1])
    }

    @Test func whatIsRefused() throws {
        for temperature in [0, -1, .nan, .infinity] {
            #expect(throws: RecurrentError.self, "\(temperature)") { try Sampling(temperature: temperature) }
        }
        for topK in [0, -3] {
            #expect(throws: RecurrentError.invalidOption("`topK` must be at least 1, not \(topK)")) {
                try Sampling(topK: topK)
            }
        }
        let classifier = try SequenceModel(
            cell: GRU(), configuration: ModelConfiguration(embeddingSize: 4, hiddenSize: 3),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 5), targets: .sequenceClass(classes: 5), isContinuous: false,
                metric: .accuracy),
            on: ReferenceBackend())
        #expect(throws: RecurrentError.self) { try Generator(classifier, sampling: .greedy) }
    }

    @Test(arguments: [true, false])
    func damagedWeightsAreTold(isGreedy: Bool) throws {
        let model = try model(GRU(), on: ReferenceBackend())
        model.backend.fill(model.parameters.allValues, with: .nan)
        let generator = try Generator(model, sampling: isGreedy ? .greedy : Sampling())
        #expect(throws: RecurrentError.self) { try generator.next(after: 0) }
    }
}
