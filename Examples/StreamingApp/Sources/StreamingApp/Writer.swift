import RecurrentCore

/// Writes many texts at once: each step of the session takes all of them one token further.
actor Writer {
    struct Busy: Error {}

    private struct Text {
        var sampler: Sampler
        /// The tokens to read next: the prompt, then the token that was written last.
        var waiting: [Int]
        var left: Int
        let output: AsyncStream<Int>.Continuation
    }

    nonisolated let vocabulary: Vocabulary
    private let session: InferenceSession
    private var texts: [Int: Text] = [:]
    private var free: [Int]
    private var count = 0

    init(_ model: TrainedModel, vocabulary: Vocabulary, streams: Int) throws {
        self.vocabulary = vocabulary
        session = try model.makeSession(streams: streams)
        free = Array(0..<streams)
    }

    /// Begins a text after a prompt, and returns its tokens as they are written.
    func tokens(after prompt: [Int], count length: Int, sampling: Sampling) throws -> AsyncStream<Int> {
        guard let stream = free.popLast() else { throw Busy() }
        try session.reset(streams: [stream])
        let (tokens, output) = AsyncStream.makeStream(of: Int.self)
        let sampler = Sampler(sampling, seed: 1, stream: count)
        count = (count + 1) % (1 << 24)
        texts[stream] = Text(
            sampler: sampler, waiting: ([vocabulary.endOfLine ?? 0] + prompt).reversed(), left: length, output: output)
        if texts.count == 1 { Task { await write() } }
        return tokens
    }

    private func write() async {
        while !texts.isEmpty {
            let streams = Array(texts.keys), tokens = streams.map { texts[$0]!.waiting.popLast()! }
            do {
                let scores = try session.step(tokens, streams: streams)
                for (row, stream) in zip(scores, streams) where texts[stream]!.waiting.isEmpty {
                    let token = try texts[stream]!.sampler.choose(from: row)
                    texts[stream]!.waiting = [token]
                    texts[stream]!.left -= 1
                    // A client that has gone no longer takes tokens.
                    if case .terminated = texts[stream]!.output.yield(token) { texts[stream]!.left = 0 }
                    if texts[stream]!.left == 0 { end(stream) }
                }
            } catch {
                for stream in streams { end(stream) }
            }
            // Lets clients in that are waiting.
            await Task.yield()
        }
    }

    private func end(_ stream: Int) {
        texts.removeValue(forKey: stream)?.output.finish()
        free.append(stream)
    }
}
