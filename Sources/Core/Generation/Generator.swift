/// Writes text with a language model, one token at a time.
///
/// The states stay on the backend; the cell is compiled once, for one step of one
/// sequence, and memory is set aside beforehand. The model may still be
/// trained or evaluated in between: its parameters are read where they are, its
/// states are not touched.
///
///     let generator = try Generator(model, sampling: Sampling(temperature: 0.8, topK: 40), seed: 1)
///     var token = 0
///     for _ in 0..<100 { token = try generator.next(after: token) }
///
/// Token n of a text is drawn with number n of a Philox stream, so that the same
/// seed gives the same text on every backend, unless rounding decides between two.
public final class Generator {
    /// Whose words they are.
    public let model: SequenceModel
    /// How tokens are chosen.
    public let sampling: Sampling
    /// V.
    public let vocabulary: Int
    private let backend: any Backend
    private let stack: LayerStack
    /// Whether the next token is the first of a text, before which all states are zeros.
    private var isFirst = true
    private let logits: MatrixView
    private var random: RandomStream
    private let scores: UnsafeMutableBufferPointer<Float>
    private var largest: LargestScores?
    private let exponentials: Exponentials?
    /// Of the exponentials' kernel: the maximum, 1 / temperature.
    private var scalars: [Double]

    /// exp((score − maximum) / temperature) for a whole vocabulary, on the backend; nil if few
    /// tokens are drawn from, or if 1 / temperature is too large for a backend's numbers.
    private struct Exponentials {
        let kernel: any Kernel
        let inputs: [MatrixView]
        let outputs: [MatrixView]
    }

    /// Begins with states of zeros.
    ///
    /// - Parameters:
    ///   - model: tokens in, a class per position out, as many classes as tokens.
    ///   - sampling: how tokens are chosen.
    ///   - seed: of the draws.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the model isn't a language
    ///   model, or what the backend throws.
    public init(_ model: SequenceModel, sampling: Sampling, seed: UInt64 = 1) throws {
        guard case .tokens(let vocabulary) = model.data.inputs,
            model.data.targets == .positionClass(classes: vocabulary)
        else {
            throw RecurrentError.invalidOption(
                "this model can't write text: it doesn't predict the next token at each position, as a language model does"
            )
        }
        let backend = model.backend
        self.model = model
        self.sampling = sampling
        self.vocabulary = vocabulary
        self.backend = backend
        stack = model.stack.twin()
        logits = try backend.allocate(rows: 1, columns: vocabulary)
        random = RandomStream(RandomKey(seed: seed, purpose: .sampling))
        scalars = [0, 1 / sampling.temperature]
        scores = .allocate(capacity: vocabulary)
        scores.initialize(repeating: 0)
        let count = sampling.isGreedy ? 1 : min(sampling.topK ?? vocabulary, vocabulary)
        largest = !sampling.isGreedy && count < vocabulary ? LargestScores(count: count) : nil
        exponentials =
            sampling.isGreedy || count < vocabulary || !Float(1 / sampling.temperature).isFinite
            ? nil
            : Exponentials(
                kernel: try backend.compile(
                    PointwiseProgram(inputs: 1, scalars: 2) { x, s in [exp((x[0] - s[0]) * s[1])] }),
                inputs: [logits], outputs: [try backend.allocate(rows: 1, columns: vocabulary)])
        // Any token: what is prepared on first use is then.
        _ = try read(0)
        reset()
    }

    deinit { scores.deallocate() }

    /// Reads `token` without choosing what comes next: a prompt's words, but its last.
    /// - Throws: what the backend throws.
    public func feed(_ token: Int) throws { _ = try read(token) }

    /// - Returns: the state after `token`, [1, H].
    private func read(_ token: Int) throws -> MatrixView {
        precondition((0..<vocabulary).contains(token), "token \(token) is outside the vocabulary of \(vocabulary)")
        let state = try stack.forward(
            .tokens([Int32(token)]), steps: 1, batch: 1, initial: { _ in isFirst ? .zeros : .carried },
            output: .lastStep)
        isFirst = false
        return state
    }

    /// Reads `token` and chooses the one that follows it.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the scores are no finite numbers, or
    ///   what the backend throws.
    public func next(after token: Int) throws -> Int {
        model.projection.forward(try read(token), into: logits)
        backend.download(logits.memory, offset: logits.offset, into: scores)
        return try choose()
    }

    /// The scores of all tokens that ``next(after:)`` chose from last.
    public var lastScores: [Float] { backend.download(logits) }

    /// Forgets all that was read.
    public func reset() { isFirst = true }

    private static let notFinite = RecurrentError.linearAlgebra(
        "the model's scores are no finite numbers: its weights are damaged, or its training diverged")

    private func choose() throws -> Int {
        var best = 0
        for index in 1..<max(vocabulary, 1) where scores[index] > scores[best] { best = index }
        let maximum = Double(scores[best])
        guard maximum.isFinite else { throw Self.notFinite }
        if sampling.isGreedy { return best }
        let number = random.uniform()
        guard let exponentials else {
            // On the host; dividing in Double gives 0 for the likeliest token at any temperature.
            largest?.select(from: UnsafeBufferPointer(scores))
            func weight(_ index: Int) -> Double {
                RealFunctions.exp((Double(scores[index]) - maximum) / sampling.temperature)
            }
            func draw(_ indices: some Sequence<Int>) -> Int {
                var rest = number * indices.reduce(0) { $0 + weight($1) }
                for index in indices {
                    rest -= weight(index)
                    if rest < 0 { return index }
                }
                return best
            }
            return largest.map { draw($0.indices.lazy.map(Int.init)) } ?? draw(0..<vocabulary)
        }
        scalars[0] = maximum
        backend.run(exponentials.kernel, inputs: exponentials.inputs, outputs: exponentials.outputs, scalars: scalars)
        backend.download(exponentials.outputs[0].memory, offset: 0, into: scores)
        let sum = scores.reduce(0) { $0 + Double($1) }
        guard sum.isFinite else { throw Self.notFinite }
        var rest = number * sum
        for index in 0..<vocabulary {
            rest -= Double(scores[index])
            if rest < 0 { return index }
        }
        return best
    }
}
