import RecurrentCore
import RecurrentRuns

/// Several texts that are written at once, a token of each in every step.
extension GenerateCommand {
    private struct ManyResults: Encodable {
        struct Text: Encodable {
            let seed: UInt64
            let words: [String]
            let text: String
        }
        let prompt: [String]
        let texts: [Text]
        let seconds: Double
        /// The tokens of all texts.
        let tokensPerSecond: Double
    }

    /// Writes the texts that `--seed` and the seeds after it give, each as it would be written alone.
    func writeTexts(
        _ model: TrainedModel, _ vocabulary: Vocabulary, after prompt: [Int], sampling: Sampling
    ) throws {
        let session = try model.makeSession(streams: texts), seeds = (0..<UInt64(texts)).map { (seed ?? 1) &+ $0 }
        var samplers = seeds.map { Sampler(sampling, seed: $0) }
        var tokens = [Int](repeating: vocabulary.endOfLine ?? 0, count: texts)
        var written = [[Int]](repeating: [], count: texts)
        for next in prompt {
            try session.advance(tokens)
            tokens = [Int](repeating: next, count: texts)
        }
        let clock = ContinuousClock()
        let start = clock.now
        for _ in 0..<words {
            for (text, scores) in try session.step(tokens).enumerated() {
                tokens[text] = try samplers[text].choose(from: scores)
                written[text].append(tokens[text])
            }
        }
        let seconds = (clock.now - start).inSeconds
        if json {
            let results = zip(seeds, written).map { seed, tokens in
                var writer = TextWriter(vocabulary: vocabulary, isSilent: true)
                for token in prompt + tokens { writer.write(token) }
                return ManyResults.Text(seed: seed, words: tokens.map { vocabulary[$0] }, text: writer.text)
            }
            return try Self.printJSON(
                ManyResults(
                    prompt: prompt.map { vocabulary[$0] }, texts: results, seconds: seconds,
                    tokensPerSecond: Double(words * texts) / max(seconds, 1e-9)))
        }
        for (seed, tokens) in zip(seeds, written) {
            Terminal.print("\(seed == seeds[0] ? "" : "\n")seed \(seed):")
            var writer = TextWriter(vocabulary: vocabulary, isSilent: false)
            for token in prompt + tokens { writer.write(token) }
            writer.finish()
            try Terminal.checkReader()
        }
    }
}
