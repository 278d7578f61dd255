/// Writes many texts at once with one language model, as a server needs it: each step takes all texts that are being
/// written one token further, and texts begin and end at any time.
///
///     let service = try TextService(model, streams: 1000)
///     for try await token in try await service.tokens(after: prompt, count: 100, sampling: Sampling(temperature: 0.8)) {
///         print(vocabulary[token], terminator: " ")
///     }
///
/// A step computes on the actor's thread and on those of the backend; services of several tasks share the model's
/// weights.
public actor TextService {
    private struct Text {
        var sampler: Sampler
        /// The tokens to read next, the first one last: the prompt, then the token that was written last.
        var waiting: [Int]
        var left: Int
        let output: AsyncThrowingStream<Int, any Error>.Continuation
    }

    /// The model that writes.
    public nonisolated let model: TrainedModel
    private let session: InferenceSession
    private let vocabularySize: Int
    private var texts: [Text?]
    private var active: [Int] = []
    private var free: [Int]
    private var queue: ArraySlice<Text> = []
    private var isWriting = false

    /// Creates a service.
    ///
    /// - Parameters:
    ///   - model: a language model.
    ///   - streams: the largest number of texts that are written at once, at least 1; further ones wait for their turn.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the model isn't a language model or `streams` is below 1, or what
    ///   the backend throws.
    public init(_ model: TrainedModel, streams: Int) throws {
        self.model = model
        vocabularySize = try Generator.vocabulary(of: model)
        session = try model.makeSession(streams: streams)
        texts = Array(repeating: nil, count: streams)
        free = Array((0..<streams).reversed())
    }

    /// The number of texts that are being written or wait for their turn.
    public var load: Int { active.count + queue.count }

    /// Begins a text, and returns its tokens as they are written. The text ends early if nobody reads its tokens any more.
    ///
    /// - Parameters:
    ///   - prompt: the tokens that the text continues, at least one, such as the end of a line
    ///     (``Vocabulary/endOfLine``) with which a text begins.
    ///   - count: the number of tokens to write, at least 0.
    ///   - sampling: how tokens are chosen.
    ///   - seed: the seed of the draws; the same prompt, sampling and seed give the same text.
    /// - Returns: the tokens; reading them throws ``RecurrentError/linearAlgebra(_:)`` if the model's scores are no finite
    ///   numbers.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for a prompt without tokens or with one that the model doesn't have,
    ///   or a negative count.
    public func tokens(after prompt: [Int], count: Int, sampling: Sampling = Sampling(), seed: UInt64 = 1) throws
        -> AsyncThrowingStream<Int, any Error>
    {
        guard !prompt.isEmpty, count >= 0 else {
            throw RecurrentError.invalidOption(
                prompt.isEmpty
                    ? "a text needs a prompt of at least one token, such as the end of a line"
                    : "a text can't have \(count) tokens")
        }
        for token in prompt where token < 0 || token >= vocabularySize {
            throw RecurrentError.invalidOption("token \(token) is outside the vocabulary of \(vocabularySize)")
        }
        let (tokens, output) = AsyncThrowingStream.makeStream(of: Int.self)
        queue.append(
            Text(sampler: Sampler(sampling, seed: seed), waiting: prompt.reversed(), left: count, output: output))
        if !isWriting {
            isWriting = true
            Task { await write() }
        }
        return tokens
    }

    private func write() async {
        var tokens: [Int] = []
        while true {
            admit()
            guard !active.isEmpty else { break }
            tokens.removeAll(keepingCapacity: true)
            for stream in active { tokens.append(texts[stream]!.waiting.removeLast()) }
            do {
                let scores = try session.step(tokens, streams: active)
                for (row, stream) in zip(scores, active) { extend(stream, by: row) }
            } catch {
                for stream in active { end(stream, error) }
            }
            active.removeAll { texts[$0] == nil }
            // Lets others call the actor between two steps.
            await Task.yield()
        }
        isWriting = false
    }

    /// Gives texts that wait their streams.
    private func admit() {
        while let stream = free.last, let text = queue.popFirst() {
            guard text.left > 0 else {
                text.output.finish()
                continue
            }
            free.removeLast()
            do { try session.reset(streams: [stream]) } catch { preconditionFailure("\(error)") }
            texts[stream] = text
            active.append(stream)
        }
    }

    /// Writes the next token of a text whose prompt has been read.
    private func extend(_ stream: Int, by scores: Predictions.Row) {
        guard texts[stream]!.waiting.isEmpty else { return }
        do {
            let token = try texts[stream]!.sampler.choose(from: scores)
            texts[stream]!.waiting.append(token)
            texts[stream]!.left -= 1
            if case .terminated = texts[stream]!.output.yield(token) { return end(stream) }
            if texts[stream]!.left == 0 { end(stream) }
        } catch {
            end(stream, error)
        }
    }

    private func end(_ stream: Int, _ error: (any Error)? = nil) {
        texts[stream]?.output.finish(throwing: error)
        texts[stream] = nil
        free.append(stream)
    }
}
