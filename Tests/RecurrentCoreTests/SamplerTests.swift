import CPUBackend
import RecurrentCore
import Testing

/// Draws from known scores.
struct SamplerTests {
    /// Returns rows with given logits: those of a model whose projection has only a bias.
    private func row(_ logits: [Float]) throws -> Predictions.Row {
        let backend = try CPUBackend(threads: 1)
        let model = try InferenceTests.languageModel(
            InferenceTests.Residual(), hidden: 2, vocabulary: logits.count, on: backend)
        for (index, parameter) in model.parameters.entries.enumerated() where parameter.name.hasPrefix("decoder") {
            let isBias = parameter.isVector
            backend.upload(
                isBias ? logits : [Float](repeating: 0, count: parameter.count), to: model.parameters.value(index))
        }
        return try TrainedModel(model).makeSession().step([0])[0]
    }

    /// The frequencies of draws from many tokens, among them some of no weight and some in the last, shorter block.
    @Test func frequencies() throws {
        let logits = (0..<1003).map { index -> Float in
            index % 250 == 7 ? 3 : index == 1002 ? 4 : index % 3 == 0 ? -200 : -4
        }
        let scores = try row(logits)
        let powers = logits.map { RealFunctions.exp(Double($0) / 1.25) }, sum = powers.reduce(0, +)
        var sampler = Sampler(try Sampling(temperature: 1.25), seed: 4), counts = [Int](repeating: 0, count: 1003)
        let draws = 40_000
        for _ in 0..<draws { counts[try sampler.choose(from: scores)] += 1 }
        for index in logits.indices {
            let expected = Double(draws) * powers[index] / sum
            #expect(abs(Double(counts[index]) - expected) <= 5 * expected.squareRoot() + 1, "token \(index)")
            if logits[index] == -200 { #expect(counts[index] == 0) }
        }
    }

    /// The first of the largest scores; the stream of draws depends on the number of the text.
    @Test func greedyAndStreams() throws {
        let scores = try row([0, 2, -1, 2, 1])
        var greedy = Sampler(.greedy), first = Sampler(Sampling(), seed: 1),
            second = Sampler(Sampling(), seed: 1, stream: 1)
        #expect(try greedy.choose(from: scores) == 1)
        let a = try (0..<40).map { _ in try first.choose(from: scores) }
        let b = try (0..<40).map { _ in try second.choose(from: scores) }
        #expect(a != b)
        // At a huge temperature all are as likely, but none that isn't there.
        var hot = Sampler(try Sampling(temperature: 1e300)), counts = [0, 0, 0, 0, 0]
        for _ in 0..<5000 { counts[try hot.choose(from: scores)] += 1 }
        #expect(counts.allSatisfy { abs($0 - 1000) < 150 }, "\(counts)")
        var cold = Sampler(try Sampling(temperature: 1e-30))
        #expect(try (0..<20).allSatisfy { _ in try [1, 3].contains(cold.choose(from: scores)) })
    }

    @Test func numbersThatAreNone() throws {
        for bad in [[Float.nan, 1], [1, .infinity], [-.infinity, -.infinity], [.nan, .nan]] {
            var sampler = Sampler(Sampling())
            let scores = try row(bad)
            #expect(throws: RecurrentError.self, "\(bad)") { try sampler.choose(from: scores) }
        }
    }
}
