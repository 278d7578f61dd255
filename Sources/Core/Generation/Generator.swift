/// Writes text with a language model, one token at a time.
///
///     let generator = try Generator(model, sampling: Sampling(temperature: 0.8, topK: 40), seed: 1)
///     var token = 0
///     for _ in 0..<100 { token = try generator.next(after: token) }
///
/// It is an ``InferenceSession`` with one stream and a ``Sampler``. Token n of a text is drawn with number n of a Philox
/// stream, so that the same seed gives the same text on every backend, unless rounding decides between two.
public final class Generator {
    /// The session, whose only stream has read the text so far.
    public let session: InferenceSession
    /// How tokens are chosen.
    public let sampling: Sampling
    /// The number V of tokens.
    public let vocabulary: Int
    private var sampler: Sampler
    private var scores: Predictions?

    /// Begins a text, before which all states are zeros.
    ///
    /// - Parameters:
    ///   - model: a language model: tokens in, a class per position out, as many classes as tokens.
    ///   - sampling: how tokens are chosen.
    ///   - seed: the seed of the draws.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the model isn't a language model, or what the backend throws.
    public init(_ model: TrainedModel, sampling: Sampling, seed: UInt64 = 1) throws {
        vocabulary = try Self.vocabulary(of: model)
        self.sampling = sampling
        session = try model.makeSession()
        sampler = Sampler(sampling, seed: seed)
    }

    /// Returns the number of tokens of a language model.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the model is none.
    static func vocabulary(of model: TrainedModel) throws -> Int {
        guard case .tokens(let vocabulary) = model.data.inputs,
            model.data.targets == .positionClass(classes: vocabulary)
        else {
            throw RecurrentError.invalidOption(
                "this model can't write text: it doesn't predict the next token at each position, as a language model does"
            )
        }
        return vocabulary
    }

    /// Begins a text with the present weights of a model, which are copied.
    ///
    /// - Throws: what ``init(_:sampling:seed:)-(TrainedModel,_,_)`` throws.
    public convenience init(_ model: SequenceModel, sampling: Sampling, seed: UInt64 = 1) throws {
        try self.init(TrainedModel(model), sampling: sampling, seed: seed)
    }

    /// Reads `token` without choosing what comes next: a prompt's words, but its last.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the vocabulary has no such token.
    public func feed(_ token: Int) throws { try session.advance([token]) }

    /// Reads `token` and chooses the one that follows it.
    ///
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the scores are no finite numbers, and
    ///   ``RecurrentError/invalidOption(_:)`` if the vocabulary has no such token.
    public func next(after token: Int) throws -> Int {
        scores = nil
        let rows = try session.step([token])
        scores = rows
        return try sampler.choose(from: rows[0])
    }

    /// The scores of all tokens that ``next(after:)`` chose from last; empty before.
    public var lastScores: [Float] { scores?.numbers ?? [] }

    /// Forgets all that was read.
    public func reset() {
        do { try session.reset() } catch { preconditionFailure("\(error)") }
    }
}
