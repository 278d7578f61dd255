import RecurrentCore

/// Checks that a layer computes the same from the tokens of an embedding, whose rows it multiplies, as from the vectors
/// that belong to them: outputs, final states, and the gradients of all parameters and of the embedding.
///
/// Nothing is checked for a cell that reads its input not only in products, since its layers always take vectors.
///
/// - Parameters:
///   - cell: the cell of the layer.
///   - backend: the backend that runs it.
///   - inputWidth: the width of the embedding's rows.
///   - hiddenWidth: the width of the states.
///   - vocabulary: the number of tokens.
///   - steps: the number of time steps.
///   - batch: the number of sequences.
///   - lengths: the sequences' lengths; nil if all have `steps`.
///   - scale: the bound of the random parameters.
///   - tolerance: the largest relative error.
/// - Throws: ``ConformanceFailure`` if something differs, or what the backend throws.
public func checkTokens(
    _ cell: any RecurrentCell, on backend: any Backend, inputWidth: Int = 3, hiddenWidth: Int = 4, vocabulary: Int = 5,
    steps: Int = 6, batch: Int = 7, lengths: [Int]? = nil, scale: Double = 0.5, tolerance: Double
) throws {
    let store = ParameterStore()
    let embedding = try EmbeddingLayer(
        name: "encoder", vocabulary: vocabulary, width: inputWidth, parameters: store, on: backend)
    let layer = try RecurrentLayer(
        cell, inputWidth: inputWidth, hiddenWidth: hiddenWidth, parameters: store, on: backend)
    try store.allocate(on: backend)
    guard layer.takesTokens else { return }
    var random = RandomStream(RandomKey(seed: 2, purpose: .test))
    func numbers(_ count: Int) -> [Double] { (0..<count).map { _ in random.uniform(in: -scale...scale) } }
    backend.upload(numbers(store.count), to: store.allValues)
    let outputWeights = numbers(steps * batch * layer.outputWidth)
    // The last token doesn't occur.
    let ids = (0..<steps * batch).map { _ in Int32(random.integer(below: vocabulary - 1)) }

    func run(_ input: RecurrentInput, training: Bool) throws -> [Double] {
        backend.fill(store.allGradients, with: 0)
        let outputs = try layer.forward(
            input, steps: steps, batch: batch, lengths: lengths, options: training ? .training : .inference)
        var result: [Double] = backend.download(outputs)
        for state in cell.stateNames.indices { result += backend.download(layer.finalState(state), as: Double.self) }
        guard training else { return result }
        backend.upload(outputWeights, to: layer.outputGradient)
        try layer.backward()
        if case .vectors = input { try embedding.backward(layer.inputGradient) }
        return result + backend.download(store.allGradients, as: Double.self)
    }
    for training in [true, false] {
        let expected = try run(.vectors(embedding.forward(ids)), training: training)
        // The second pass finds what the first has left in the buffers.
        for _ in 0..<2 {
            let error = relativeError(try run(.tokens(embedding.tokens(ids)), training: training), expected)
            try require(
                error <= tolerance,
                "\(cell.name) on \(backend.name): \(training ? "outputs and gradients" : "outputs") of tokens differ from those of their vectors by \(error)"
            )
        }
    }
}
