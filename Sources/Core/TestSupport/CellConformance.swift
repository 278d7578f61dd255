import RecurrentCore

/// A recurrent layer with random parameters, inputs and initial states, and a scalar loss
/// over all its results, `Σ c · output + Σ d · final state`.
public final class CellProbe {
    /// The backend that runs the layer.
    public let backend: any Backend
    /// The store of the layer's parameters and their gradients.
    public let store = ParameterStore()
    /// The layer that runs the cell.
    public let layer: RecurrentLayer
    /// The number of time steps T.
    public let steps: Int
    /// The number of sequences B in the batch.
    public let batch: Int
    /// The sequences' lengths; nil if all have ``steps``.
    public let lengths: [Int]?
    /// The parameters, then the input, then the initial states, all of which have gradients.
    public private(set) var variables: [Double]
    private let outputWeights: [Double]
    private let finalWeights: [[Double]]

    /// Creates a layer and draws random values for its variables and for the weights of the loss.
    ///
    /// - Parameters:
    ///   - cell: the cell of the layer.
    ///   - backend: the backend that runs the layer.
    ///   - inputWidth: the width E of the input.
    ///   - hiddenWidth: the width H of the states.
    ///   - steps: the number of time steps T.
    ///   - batch: the number of sequences B.
    ///   - lengths: the sequences' lengths; nil if all have `steps`.
    ///   - scale: the bound of the random numbers, which are uniform in ±scale.
    ///   - seed: the seed of the random numbers.
    /// - Throws: ``RecurrentCore/RecurrentError/cell(_:)`` if the cell's declarations or equations are wrong, or the
    ///   backend's error if it can't allocate the parameters.
    public init(
        _ cell: any RecurrentCell, on backend: any Backend, inputWidth: Int, hiddenWidth: Int, steps: Int, batch: Int,
        lengths: [Int]? = nil, scale: Double = 0.7, seed: UInt64 = 1
    ) throws {
        self.backend = backend
        self.steps = steps
        self.batch = batch
        self.lengths = lengths
        layer = try RecurrentLayer(
            cell, inputWidth: inputWidth, hiddenWidth: hiddenWidth, parameters: store, on: backend)
        try store.allocate(on: backend)
        var random = RandomStream(RandomKey(seed: seed, purpose: .test))
        func numbers(_ count: Int) -> [Double] { (0..<count).map { _ in random.uniform(in: -scale...scale) } }
        let states = cell.stateNames.count
        variables = numbers(store.count + steps * batch * inputWidth + states * batch * hiddenWidth)
        outputWeights = numbers(steps * batch * layer.outputWidth)
        finalWeights = (0..<states).map { _ in numbers(batch * hiddenWidth) }
    }

    private var inputRange: Range<Int> { store.count..<store.count + steps * batch * layer.inputWidth }
    private func stateRange(_ index: Int) -> Range<Int> {
        let size = batch * layer.hiddenWidth
        return inputRange.upperBound + index * size..<inputRange.upperBound + (index + 1) * size
    }

    /// Runs the layer forward and returns its outputs [T·B·O].
    ///
    /// - Parameters:
    ///   - values: the values of ``variables``.
    ///   - training: whether to run as in training, so that a backward pass can follow.
    @discardableResult
    public func forward(_ values: [Double], training: Bool = true) throws -> [Double] {
        backend.upload(Array(values[0..<store.count]), to: store.allValues)
        try layer.clearAbsentElements()
        let input = try backend.makeMatrix(Array(values[inputRange]), rows: steps * batch, columns: layer.inputWidth)
        let initial = try finalWeights.indices.map {
            try backend.makeMatrix(Array(values[stateRange($0)]), rows: batch, columns: layer.hiddenWidth)
        }
        return backend.download(
            try layer.forward(
                input, steps: steps, batch: batch, initial: .given(initial), lengths: lengths,
                options: training ? .training : .inference))
    }

    /// Returns the loss at `values` of the ``variables``, computed by inference.
    public func loss(_ values: [Double]) throws -> Double {
        let outputs = try forward(values, training: false)
        var sum = zip(outputs, outputWeights).reduce(0) { $0 + $1.0 * $1.1 }
        for (index, weights) in finalWeights.enumerated() {
            let final: [Double] = backend.download(layer.finalState(index))
            sum += zip(final, weights).reduce(0) { $0 + $1.0 * $1.1 }
        }
        return sum
    }

    /// Returns the gradient of ``loss(_:)`` by the compiled backward pass.
    ///
    /// - Parameter values: the values of the variables; if nil, ``variables``.
    public func gradient(at values: [Double]? = nil) throws -> [Double] {
        backend.fill(store.allGradients, with: 0)
        try forward(values ?? variables)
        backend.upload(outputWeights, to: layer.outputGradient)
        for (index, weights) in finalWeights.enumerated() { backend.upload(weights, to: layer.stateGradient(index)) }
        try layer.backward()
        var result: [Double] = backend.download(store.allGradients)
        result += backend.download(layer.inputGradient, as: Double.self)
        for index in finalWeights.indices { result += backend.download(layer.stateGradient(index), as: Double.self) }
        return result
    }
}

/// Checks a cell on a Double backend: that the compiled gradients of all parameters, the
/// input and the initial states agree with central differences, and what tokens give with what their vectors do
/// (``checkTokens(_:on:inputWidth:hiddenWidth:vocabulary:steps:batch:lengths:scale:tolerance:)``), both for equal and for
/// different sequence lengths.
///
/// - Parameters:
///   - cell: the cell to check.
///   - backend: a backend that computes in Double (`ReferenceBackend`).
///   - inputWidth: the width of the input.
///   - hiddenWidth: the width of the states.
///   - steps: the number of time steps.
///   - batch: the number of sequences.
///   - tolerance: the largest relative error of the gradients.
/// - Throws: ``ConformanceFailure`` if the gradients differ.
public func checkCell(
    _ cell: any RecurrentCell, on backend: any Backend, inputWidth: Int = 3, hiddenWidth: Int = 4, steps: Int = 4,
    batch: Int = 3, tolerance: Double = 1e-6
) throws {
    precondition(backend.scalarType == .float64, "checkCell needs a backend in Double")
    for lengths in [nil, (0..<batch).map { steps - $0 % (steps + 1) }] {
        let probe = try CellProbe(
            cell, on: backend, inputWidth: inputWidth, hiddenWidth: hiddenWidth, steps: steps, batch: batch,
            lengths: lengths)
        let error = relativeError(
            try probe.gradient(), try centralDifferences(probe.variables, step: 1e-4) { try probe.loss($0) })
        try require(
            error <= tolerance,
            "\(cell.name): gradients differ from central differences by \(error)\(lengths == nil ? "" : " with different lengths")"
        )
        try checkTokens(
            cell, on: backend, inputWidth: inputWidth, hiddenWidth: hiddenWidth, steps: steps, batch: batch,
            lengths: lengths, tolerance: tolerance)
    }
}

/// Checks that a backend runs a cell as the oracle does: that outputs and gradients agree
/// over many steps, and that tokens give what their vectors do, both for equal and for different sequence lengths.
///
/// - Parameters:
///   - cell: the cell to run.
///   - backend: the backend to check.
///   - oracle: the backend to compare with, `ReferenceBackend`.
///   - inputWidth: the width of the input.
///   - hiddenWidth: the width of the states.
///   - steps: the number of time steps.
///   - batch: the number of sequences; half of them where lengths differ.
///   - scale: the bound of the random parameters, inputs and states; small enough that a
///     long product of Jacobians doesn't amplify Float32's rounding without bound.
///   - tolerance: the largest relative error of outputs and gradients.
/// - Throws: ``ConformanceFailure`` if outputs or gradients differ.
public func checkCell(
    _ cell: any RecurrentCell, on backend: any Backend, against oracle: any Backend, inputWidth: Int = 7,
    hiddenWidth: Int = 19, steps: Int = 100, batch: Int = 37, scale: Double = 0.2, tolerance: Double = 1e-4
) throws {
    for hasLengths in [false, true] {
        // A backend may treat a small batch differently.
        let batch = hasLengths ? (batch + 1) / 2 : batch
        let lengths = hasLengths ? (0..<batch).map { $0 * 37 % (steps + 1) } : nil
        func probe(_ backend: any Backend) throws -> CellProbe {
            try CellProbe(
                cell, on: backend, inputWidth: inputWidth, hiddenWidth: hiddenWidth, steps: steps, batch: batch,
                lengths: lengths, scale: scale)
        }
        let tested = try probe(backend), expected = try probe(oracle)
        let what = "\(cell.name) on \(backend.name)\(lengths == nil ? "" : " with different lengths")"
        for training in [true, false] {
            let error = relativeError(
                try tested.forward(tested.variables, training: training),
                try expected.forward(expected.variables, training: training))
            try require(error <= tolerance, "\(what): outputs differ from \(oracle.name)'s by \(error)")
        }
        let error = relativeError(try tested.gradient(), try expected.gradient())
        try require(error <= tolerance, "\(what): gradients differ from \(oracle.name)'s by \(error)")
        try checkTokens(
            cell, on: backend, inputWidth: inputWidth, hiddenWidth: hiddenWidth, steps: steps, batch: batch,
            lengths: lengths, scale: scale, tolerance: tolerance)
    }
}
