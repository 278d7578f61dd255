extension InferenceSession {
    /// Returns what the streams' present states predict: the logits of V classes, or V numbers.
    ///
    /// - Parameter streams: the streams, without duplicates; nil for all.
    /// - Returns: one row per stream.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if a stream is out of range, or what the backend throws.
    public func scores(streams: [Int]? = nil) throws -> Predictions { try predict(streams, asProbabilities: false) }

    /// Returns the probabilities of the V classes that follow from the streams' present states: for a language model,
    /// those of the next token.
    ///
    /// - Parameter streams: the streams, without duplicates; nil for all.
    /// - Returns: one row per stream, which adds up to 1.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the model predicts numbers or a stream is out of range, or what
    ///   the backend throws.
    public func probabilities(streams: [Int]? = nil) throws -> Predictions {
        guard !model.data.targets.areValues else {
            throw RecurrentError.invalidOption("this model predicts numbers, which `scores` returns, not classes")
        }
        return try predict(streams, asProbabilities: true)
    }

    /// Reads one token per stream, and returns the probabilities of the classes that follow.
    ///
    /// - Parameters:
    ///   - tokens: the ids of the tokens, each below V.
    ///   - streams: the streams that read them, without duplicates; nil for all.
    /// - Returns: one row per stream, which adds up to 1.
    /// - Throws: what ``advance(_:streams:)-([Int],_)`` and ``probabilities(streams:)`` throw.
    public func probabilities(after tokens: [Int], streams: [Int]? = nil) throws -> Predictions {
        try advance(tokens, streams: streams)
        return try probabilities(streams: streams)
    }

    /// Reads one token per stream, and returns the logits of the classes that follow, or the predicted numbers.
    ///
    /// - Parameters:
    ///   - tokens: the ids of the tokens, each below V.
    ///   - streams: the streams that read them, without duplicates; nil for all.
    /// - Returns: one row per stream.
    /// - Throws: what ``advance(_:streams:)-([Int],_)`` and ``scores(streams:)`` throw.
    public func step(_ tokens: [Int], streams: [Int]? = nil) throws -> Predictions {
        try advance(tokens, streams: streams)
        return try scores(streams: streams)
    }

    /// Reads one vector per stream, and returns the logits of the classes that follow, or the predicted numbers.
    ///
    /// - Parameters:
    ///   - inputs: the vectors, one after another, E numbers each.
    ///   - streams: the streams that read them, without duplicates; nil for all.
    /// - Returns: one row per stream.
    /// - Throws: what ``advance(_:streams:)-([Float],_)`` and ``scores(streams:)`` throw.
    public func step(_ inputs: [Float], streams: [Int]? = nil) throws -> Predictions {
        try advance(inputs, streams: streams)
        return try scores(streams: streams)
    }

    private func predict(_ streams: [Int]?, asProbabilities: Bool) throws -> Predictions {
        try select(streams)
        let count = streams?.count ?? self.streams
        // Rows that are still in use are left to their owner.
        if !isKnownUniquelyReferenced(&output) {
            output = try Predictions.Storage(capacity: self.streams, columns: output.columns, on: backend)
        }
        let softmax = asProbabilities ? try softmax.get() : nil
        inTurn { score(count, isAll: streams == nil, softmax) }
        return Predictions(storage: output, count: count)
    }

    /// Computes the scores of the streams in ``rows`` in ``output``.
    private func score(_ count: Int, isAll: Bool, _ softmax: (any Softmax)?) {
        guard count > 0 else { return }
        if !isAll { rows.gather(outputs, into: features.rows(0..<count), on: backend) }
        let result = output.view(count)
        backend.multiply(
            isAll ? outputs : features.rows(0..<count), model.projection.weight, bias: model.projection.bias,
            into: result)
        softmax?.run(result)
        output.fetch(count)
    }
}
