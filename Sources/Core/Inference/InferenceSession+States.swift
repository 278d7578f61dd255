extension InferenceSession {
    /// Sets the states of some streams to zeros, as those of a new sequence.
    ///
    /// - Parameter streams: the streams; nil for all.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if a stream is out of range.
    public func reset(streams: [Int]? = nil) throws {
        for stream in streams ?? [] { try check(stream) }
        inTurn {
            for state in states.joined() {
                guard let streams else {
                    backend.fill(state, with: 0)
                    continue
                }
                for stream in streams { backend.fill(state.rows(stream..<stream + 1), with: 0) }
            }
        }
    }

    /// Returns a copy of a stream's states.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if there is no such stream.
    public func state(of stream: Int) throws -> StreamState {
        try check(stream)
        let numbers: [Float] = inTurn {
            states.joined().flatMap { backend.download($0.rows(stream..<stream + 1), as: Float.self) }
        }
        return StreamState(of: model, numbers: numbers)
    }

    /// Replaces a stream's states, so that it continues where another one stood.
    ///
    /// - Parameters:
    ///   - state: states of this session, of another one, or saved ones.
    ///   - stream: the stream.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the states are of a model of another form, or there is no such
    ///   stream.
    public func setState(_ state: StreamState, of stream: Int) throws {
        try check(stream)
        try state.check(model)
        let width = state.width
        inTurn {
            for (index, view) in states.joined().enumerated() {
                backend.upload(
                    Array(state.numbers[index * width..<(index + 1) * width]), to: view.rows(stream..<stream + 1))
            }
        }
    }

    /// Copies the states of one stream to another, which then continues the same sequence in its own way.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if there is no such stream.
    public func copyState(from source: Int, to target: Int) throws {
        try check(source)
        try check(target)
        guard source != target else { return }
        inTurn {
            for view in states.joined() {
                backend.copy(view.rows(source..<source + 1), to: view.rows(target..<target + 1))
            }
        }
    }

    /// Makes each stream continue one that is there now, as in a beam search: stream i gets the states of stream
    /// `sources[i]`.
    ///
    /// - Parameter sources: for each stream the one that it continues; streams may be named several times, or not at all.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if there are more or fewer sources than streams, or one is out of
    ///   range; nothing changes then.
    public func continueStreams(_ sources: [Int]) throws {
        guard sources.count == streams else {
            throw RecurrentError.invalidOption("\(sources.count) sources for \(streams) streams; each continues one")
        }
        for source in sources { try check(source) }
        rows.set(sources)
        inTurn {
            for view in states.joined() {
                let copy = features.columns(0..<view.columns)
                rows.gather(view, into: copy, on: backend)
                backend.copy(copy, to: view)
            }
        }
    }

    /// Returns the hidden states of a layer as features of what the streams have read so far.
    ///
    /// - Parameters:
    ///   - layer: the number of the layer, from the bottom; nil for the last one.
    ///   - state: the number of the state in ``RecurrentCell/stateNames``; the first ``RecurrentCell/outputCount`` are the
    ///     layer's output.
    /// - Returns: H numbers per stream, one stream after another.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if there is no such layer or state.
    public func hiddenStates(layer: Int? = nil, state: Int = 0) throws -> [Float] {
        let layer = layer ?? states.count - 1
        guard states.indices.contains(layer), states[layer].indices.contains(state) else {
            throw RecurrentError.invalidOption(
                "there is no state \(state) of layer \(layer): the model has \(states.count) layers, its cell \(states[0].count) states, counted from 0"
            )
        }
        return inTurn { backend.download(states[layer][state]) }
    }
}
