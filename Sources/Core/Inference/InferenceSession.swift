/// The states of some sequences, or streams, of a ``TrainedModel``, and the memory to continue them.
///
///     let session = try model.makeSession(streams: 2)
///     var tokens = [eos, eos]
///     for _ in 0..<20 {
///         let rows = try session.probabilities(after: tokens)
///         tokens = rows.map(\.largest)
///     }
///
/// A step reads one input per stream: a token, or a vector of E numbers. Not all streams need to take part in it: with
/// `streams:`, inputs and predictions belong to the streams with these numbers, in this order. A stream's numbers don't
/// depend on which others take part. After its first steps, a session allocates nothing.
///
/// A session is used by one task at a time; it may be handed over to another one.
public final class InferenceSession {
    /// The model that computes.
    public let model: TrainedModel
    /// The number of streams.
    public let streams: Int
    let backend: any Backend
    /// Whether calls must take turns with those of other sessions.
    private let takesTurns: Bool
    private let runners: [StepRunner]
    /// The states of all streams, for each layer and state [streams, H].
    let states: [[MatrixView]]
    /// The last layer's output for all streams, [streams, O], which consists of its states.
    let outputs: MatrixView
    /// The inputs of a step, [streams, E]; nil if products of tokens are looked up instead.
    private let input: MatrixView?
    private let tokens: TokenRows
    let rows: TokenRows
    let features: MatrixView
    var output: Predictions.Storage
    lazy var softmax = Result { try backend.makeSoftmax(classes: model.data.classes) }
    /// For each stream the number of the last call that named it, to find streams that are named twice.
    private var lastCall: [Int]
    private var call = 0

    init(_ model: TrainedModel, streams: Int) throws {
        self.model = model
        self.streams = streams
        let own = try model.backend.makeConcurrent()
        let backend = own ?? model.backend
        self.backend = backend
        takesTurns = own == nil
        switch model.data.inputs {
        case .tokens:
            input = try model.table.map { try backend.allocate(rows: streams, columns: $0.columns) }
        case .vectors(let width): input = try backend.allocate(rows: streams, columns: width)
        }
        var runners: [StepRunner] = []
        for program in model.programs {
            runners.append(
                try StepRunner(program, input: runners.last?.output ?? input, capacity: streams, on: backend))
        }
        self.runners = runners
        let memory = try model.programs.map { try $0.plan.allocateStates(rows: streams, on: backend) }
        states = memory.map(\.states)
        outputs = memory[memory.count - 1].output
        tokens = TokenRows(capacity: streams)
        rows = TokenRows(capacity: streams)
        features = try backend.allocate(rows: streams, columns: outputs.columns)
        output = try Predictions.Storage(capacity: streams, columns: model.data.classes, on: backend)
        lastCall = [Int](repeating: 0, count: streams)
    }

    // MARK: Reading inputs

    /// Reads one token per stream, which changes the streams' states.
    ///
    /// - Parameters:
    ///   - tokens: the ids of the tokens, each below V.
    ///   - streams: the streams that read them, without duplicates; nil for all.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the model reads vectors, there are more or fewer tokens than
    ///   streams, or a token or stream is out of range; nothing changes then.
    public func advance(_ tokens: [Int], streams: [Int]? = nil) throws {
        try select(streams, inputs: tokens.count, "token")
        try check(tokens)
        self.tokens.set(tokens)
        inTurn {
            if let table = model.table, let input {
                self.tokens.gather(table, into: input.rows(0..<tokens.count), on: backend)
            }
            step(tokens.count)
        }
    }

    /// Reads one vector per stream, which changes the streams' states.
    ///
    /// - Parameters:
    ///   - inputs: the vectors, one after another, E numbers each.
    ///   - streams: the streams that read them, without duplicates; nil for all.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the model reads tokens, there are more or fewer numbers than E
    ///   per stream, or a stream is out of range; nothing changes then.
    public func advance(_ inputs: [Float], streams: [Int]? = nil) throws {
        guard case .vectors(let width) = model.data.inputs, let input else {
            throw RecurrentError.invalidOption("this model reads \(model.data.inputs.summary), not vectors")
        }
        guard inputs.count % width == 0 else {
            throw RecurrentError.invalidOption(
                "each stream reads \(width) numbers, so \(inputs.count) are not whole inputs")
        }
        try select(streams, inputs: inputs.count / width, "vector")
        inTurn {
            inputs.withUnsafeBufferPointer { backend.upload($0, to: input.memory, offset: 0) }
            step(inputs.count / width)
        }
    }

    /// Reads whole sequences of tokens, which may have different lengths, such as prompts.
    ///
    /// - Parameters:
    ///   - sequences: the ids of each stream's tokens.
    ///   - streams: the streams that read them, without duplicates; nil for all.
    /// - Throws: what ``advance(_:streams:)-([Int],_)`` throws; nothing changes then.
    public func advance(sequences: [[Int]], streams: [Int]? = nil) throws {
        try select(streams, inputs: sequences.count, "sequence")
        for sequence in sequences { try check(sequence) }
        let numbers = streams ?? Array(0..<self.streams)
        for position in 0..<(sequences.map(\.count).max() ?? 0) {
            let longer = sequences.indices.filter { sequences[$0].count > position }
            try advance(longer.map { sequences[$0][position] }, streams: longer.map { numbers[$0] })
        }
    }

    /// Checks which streams take part, and notes them in ``rows``.
    func select(_ streams: [Int]?, inputs: Int? = nil, _ what: String = "") throws {
        if let inputs, inputs != streams?.count ?? self.streams {
            throw RecurrentError.invalidOption(
                "\(inputs) \(what)\(inputs == 1 ? "" : "s") for \(streams?.count ?? self.streams) streams; each reads one"
            )
        }
        guard let streams else { return rows.set(0..<self.streams) }
        call += 1
        for stream in streams {
            try check(stream)
            guard lastCall[stream] != call else {
                throw RecurrentError.invalidOption("stream \(stream) is named twice in one step")
            }
            lastCall[stream] = call
        }
        rows.set(streams)
    }

    private func check(_ tokens: [Int]) throws {
        guard case .tokens(let vocabulary) = model.data.inputs else {
            throw RecurrentError.invalidOption("this model reads \(model.data.inputs.summary), not tokens")
        }
        for token in tokens where token < 0 || token >= vocabulary {
            throw RecurrentError.invalidOption("token \(token) is outside the vocabulary of \(vocabulary)")
        }
    }

    func check(_ stream: Int) throws {
        guard stream >= 0, stream < streams else {
            throw RecurrentError.invalidOption("there is no stream \(stream) in a session of \(streams)")
        }
    }

    /// Takes the streams of ``rows`` through one step.
    private func step(_ count: Int) {
        guard count > 0 else { return }
        for (runner, states) in zip(runners, states) {
            for (state, before) in zip(states, runner.before) {
                rows.gather(state, into: before.rows(0..<count), on: backend)
            }
            runner.run(count, tokens: tokens)
            for (state, after) in zip(states, runner.after) {
                rows.scatter(after.rows(0..<count), into: state, on: backend)
            }
        }
    }

    /// Runs calls on the backend, while no other session makes any if it can't compute them at the same time.
    func inTurn<R>(_ body: () throws -> R) rethrows -> R {
        guard takesTurns else { return try body() }
        return try withoutActuallyEscaping(body) { body in try model.turns.withLock { _ in try body() } }
    }
}
