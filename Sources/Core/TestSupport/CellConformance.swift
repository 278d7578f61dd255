import RecurrentCore

/// A recurrent layer with random parameters, inputs and initial states, and a scalar loss
/// of everything that it returns: `Σ c · output + Σ d · final state`.
public final class CellProbe {
    /// The backend that runs the layer.
    public let backend: any Backend
    /// The layer's parameters.
    public let store = ParameterStore()
    /// The layer under test.
    public let layer: RecurrentLayer
    /// The number of steps, T.
    public let steps: Int
    /// The number of sequences, B.
    public let batch: Int
    /// The length of each sequence; nil if all have `steps`.
    public let lengths: [Int]?
    /// The values that gradients are taken with respect to: parameters, then the input, then
    /// the initial states.
    public private(set) var variables: [Double]
    private let outputWeights: [Double]
    private let finalWeights: [[Double]]

    /// Creates a layer with random values.
    ///
    /// - Parameters:
    ///   - cell: the cell of the layer.
    ///   - backend: the backend that runs it.
    ///   - inputWidth: the width E of the input.
    ///   - hiddenWidth: the width H of the states.
    ///   - steps: the number of steps, T.
    ///   - batch: the number of sequences, B.
    ///   - lengths: the length of each sequence; nil if all have `steps`.
    ///   - scale: the bound of the random values, which are uniform in ±`scale`.
    ///   - seed: the seed of the random values.
    /// - Throws: what the backend throws.
    public init(
        _ cell: any RecurrentCell, on backend: any Backend, inputWidth: Int, hiddenWidth: Int, steps: Int, batch: Int,
        lengths: [Int]? = nil, scale: Double = 0.7, seed: UInt64 = 1
    ) throws {
        self.backend = backend
        self.steps = steps
        self.batch = batch
        self.lengths = lengths
        layer = RecurrentLayer(cell, inputWidth: inputWidth, hiddenWidth: hiddenWidth, parameters: store, on: backend)
        try store.allocate(on: backend)
        var random = RandomStream(RandomKey(seed: seed, purpose: .test))
        func numbers(_ count: Int) -> [Double] { (0..<count).map { _ in random.uniform(in: -scale...scale) } }
        let states = cell.stateNames.count
        variables = numbers(store.count + steps * batch * inputWidth + states * batch * hiddenWidth)
        outputWeights = numbers(steps * batch * hiddenWidth)
        finalWeights = (0..<states).map { _ in numbers(batch * hiddenWidth) }
    }

    private var inputRange: Range<Int> { store.count..<store.count + steps * batch * layer.inputWidth }
    private func stateRange(_ index: Int) -> Range<Int> {
        let size = batch * layer.hiddenWidth
        return inputRange.upperBound + index * size..<inputRange.upperBound + (index + 1) * size
    }

    /// Returns the outputs, [T·B·H], for other variables.
    ///
    /// - Parameters:
    ///   - values: the variables, in the order of ``variables``.
    ///   - training: whether the forward pass keeps what the backward pass needs.
    /// - Throws: what the backend throws.
    @discardableResult
    public func forward(_ values: [Double], training: Bool = true) throws -> [Double] {
        backend.upload(Array(values[0..<store.count]), to: store.allValues)
        let input = try backend.makeMatrix(Array(values[inputRange]), rows: steps * batch, columns: layer.inputWidth)
        let initial = try finalWeights.indices.map {
            try backend.makeMatrix(Array(values[stateRange($0)]), rows: batch, columns: layer.hiddenWidth)
        }
        return backend.download(
            try layer.forward(
                input, steps: steps, batch: batch, initial: .given(initial), lengths: lengths,
                options: training ? .training : .inference))
    }

    /// Returns the loss for other variables.
    ///
    /// - Parameter values: the variables, in the order of ``variables``.
    /// - Throws: what the backend throws.
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
    /// - Parameter values: the variables at which the gradient is taken; nil for ``variables``.
    /// - Throws: what the backend throws.
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

/// Checks a cell on a Double backend: the compiled gradients of all parameters,
/// the input and the initial states against central differences, with equal and
/// with different sequence lengths.
///
/// - Parameters:
///   - cell: the cell to check.
///   - backend: a backend that computes in Double, such as `ReferenceBackend`.
///   - inputWidth: the width E of the input.
///   - hiddenWidth: the width H of the states.
///   - steps: the number of steps, T.
///   - batch: the number of sequences, B.
///   - tolerance: the largest relative error that is accepted.
/// - Throws: ``ConformanceFailure`` if a gradient is wrong, and what the backend throws.
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
    }
}

/// Checks that a cell has the same outputs and gradients on a backend as on an oracle,
/// over many steps, with equal and with different sequence lengths.
///
/// - Parameters:
///   - cell: the cell to check.
///   - backend: the backend to check.
///   - oracle: the backend to compare with, `ReferenceBackend`.
///   - inputWidth: the width E of the input.
///   - hiddenWidth: the width H of the states.
///   - steps: the number of steps, T.
///   - batch: the number of sequences, B.
///   - scale: the bound of the random parameters, so small that a long product of
///     Jacobians doesn't amplify Float32's rounding without bound.
///   - tolerance: the largest relative error that is accepted.
/// - Throws: ``ConformanceFailure`` if they differ, and what the backends throw.
public func checkCell(
    _ cell: any RecurrentCell, on backend: any Backend, against oracle: any Backend, inputWidth: Int = 7,
    hiddenWidth: Int = 19, steps: Int = 100, batch: Int = 21, scale: Double = 0.2, tolerance: Double = 1e-4
) throws {
    for lengths in [nil, (0..<batch).map { $0 * 37 % (steps + 1) }] {
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
    }
}
