/// Sets the first values of a store's parameters, with one random stream for each, so that a parameter's values depend only
/// on the seed and its number.
///
///     try parameters.allocate(on: backend)
///     let initializer = ParameterInitializer(seed: 1, parameters: parameters, on: backend)
///     initializer.fill(embedding)
///     try initializer.fill(layer)
///     initializer.fill(projection)
///
/// Weights that are kept orthogonal get theirs from a ``ParameterUpdater``, or, if they are frozen, from
/// ``fillOrthogonalWeights(manifold:skewInitialization:)``.
public struct ParameterInitializer {
    private let seed: UInt64
    private let backend: any Backend
    private let parameters: ParameterStore

    /// Creates an initializer of parameters that have been allocated on a backend.
    public init(seed: UInt64, parameters: ParameterStore, on backend: any Backend) {
        (self.seed, self.parameters, self.backend) = (seed, parameters, backend)
    }

    private func stream(_ parameter: Int, part: Int = 0) -> RandomStream {
        RandomStream(RandomKey(seed: seed, purpose: .initialization, stream: parameter, step: part))
    }

    /// Fills the parameter with this number with uniform numbers in ±`bound`.
    public func fillUniform(_ parameter: Int, bound: Double) {
        var random = stream(parameter)
        let view = parameters.value(parameter)
        backend.upload((0..<view.count).map { _ in random.uniform(in: -bound...bound) }, to: view)
    }

    /// Fills the parameter with this number with normal numbers of mean 0 and variance 1.
    public func fillNormal(_ parameter: Int) {
        var random = stream(parameter)
        let view = parameters.value(parameter)
        backend.upload((0..<view.count).map { _ in random.normal() }, to: view)
    }

    /// Fills an embedding's table with normal numbers, as torch.nn.Embedding does, or with uniform ones in ±0.1.
    public func fill(_ layer: EmbeddingLayer, _ initialization: TableInitialization = .torch) {
        switch initialization {
        case .torch: fillNormal(layer.weight)
        case .languageModel: fillUniform(layer.weight, bound: 0.1)
        }
    }

    /// Fills a layer's weight and bias with uniform numbers in ±1/√H for H inputs, as torch.nn.Linear does, or the weight
    /// with uniform numbers in ±0.1 and the bias with zeros.
    public func fill(_ layer: LinearLayer, _ initialization: TableInitialization = .torch) {
        switch initialization {
        case .torch:
            let bound = 1 / Double(layer.inputWidth).squareRoot()
            fillUniform(layer.weight, bound: bound)
            fillUniform(layer.bias, bound: bound)
        case .languageModel:
            fillUniform(layer.weight, bound: 0.1)
            backend.fill(parameters.value(layer.bias), with: 0)
        }
    }

    /// Fills a layer's parameters with uniform numbers in ±1/√H, as torch.nn.RNN and
    /// torch.nn.GRU do, except for recurrent weights, which are filled as `weights` says,
    /// and for parameters that declare their initial values (``CellParameter/initialization``).
    ///
    /// - Throws: ``RecurrentError/cell(_:)`` if the cell computes more or fewer initial values than a parameter has
    ///   elements, or values that aren't finite.
    public func fill(_ layer: RecurrentLayer, weights: RecurrentInitialization = .uniform) throws {
        for (number, packed) in zip(layer.parameterIndices, layer.layout.packed) {
            var values: [Double] = []
            for (position, part) in packed.parts.enumerated() {
                var random = stream(number, part: position)
                let shape = part.parameter.isVector ? (1, part.count) : (part.count, packed.columns)
                let initial = initialValues(
                    of: part.parameter, shape, weights, bound: 1 / Double(layer.hiddenWidth).squareRoot(), &random)
                try check(initial, of: part.parameter, shape, in: layer.cell)
                values += initial
            }
            backend.upload(values, to: parameters.value(number))
        }
        try layer.clearAbsentElements()
    }

    private func initialValues(
        of parameter: CellParameter, _ shape: (rows: Int, columns: Int), _ weights: RecurrentInitialization,
        bound: Double, _ random: inout RandomStream
    ) -> [Double] {
        let count = shape.rows * shape.columns
        switch (parameter.initialization, parameter.kind, weights) {
        case (.constant(let value)?, _, _): return [Double](repeating: value, count: count)
        case (.uniform(let range)?, _, _): return (0..<count).map { _ in random.uniform(in: range) }
        case (.computed(let values)?, _, _): return values(shape.rows, shape.columns, &random)
        case (nil, .perUnit, _): return [Double](repeating: 0, count: count)
        case (nil, .recurrentWeight, .identity), (nil, .recurrentWeight, .orthogonal),
            (nil, .recurrentWeight, .rotations):
            // A diagonal consists of blocks of one element.
            let size = parameter.isVector ? 1 : shape.columns
            return (0..<count / (size * size)).flatMap { _ in weights.block(size, &random) }
        case (nil, .recurrentWeight, .uniform), (nil, .inputWeight, _), (nil, .inputBias, _), (nil, .recurrentBias, _):
            return (0..<count).map { _ in random.uniform(in: -bound...bound) }
        }
    }

    private func check(
        _ values: [Double], of parameter: CellParameter, _ shape: (rows: Int, columns: Int), in cell: any RecurrentCell
    ) throws {
        let count = shape.rows * shape.columns
        guard values.count == count else {
            throw RecurrentError.cell(
                "cell '\(cell.name)' computes \(values.count) initial value\(values.count == 1 ? "" : "s") for '\(parameter.name)', which has \(count) elements, [\(shape.rows), \(shape.columns)]"
            )
        }
        guard let place = values.firstIndex(where: { !$0.isFinite }) else { return }
        throw RecurrentError.cell(
            "cell '\(cell.name)' starts '\(parameter.name)' with \(values[place]) at element \(place); initial values must be finite"
        )
    }

    /// Sets every weight that is kept orthogonal from its initial skew matrix B₀, as a ``ParameterUpdater`` with the same
    /// seed does for those that it trains; for weights that stay frozen, or that are used without training.
    ///
    /// - Parameters:
    ///   - manifold: the manifold update that gives the weight for B₀.
    ///   - skewInitialization: the initialization of each B₀.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if a weight can't be computed, and what the backend throws.
    public func fillOrthogonalWeights(
        manifold: any ManifoldUpdate, skewInitialization: any SkewInitialization
    ) throws {
        for (index, block) in parameters.orthogonalBlocks.enumerated() {
            let (workspace, point) = try manifold.start(
                block, index, from: skewInitialization, seed: seed, on: backend)
            try workspace.computeWeight(at: point, into: parameters.value(of: block))
        }
    }
}

extension ManifoldUpdate {
    /// Returns a workspace for an orthogonal block, and the point at which its training starts.
    ///
    /// - Parameter index: the number of the block.
    func start(
        _ block: ParameterStore.OrthogonalBlock, _ index: Int, from initialization: any SkewInitialization,
        seed: UInt64,
        on backend: any Backend
    ) throws -> (workspace: any ManifoldWorkspace, point: ManifoldPoint) {
        var random = RandomStream(
            RandomKey(seed: seed, purpose: .initialization, stream: block.parameter, step: 1000 + index))
        let workspace = try makeWorkspace(block.field, size: block.size, on: backend.exact)
        let point = try ManifoldPoint(for: workspace, on: backend)
        // A start that doesn't depend on B₀ doesn't depend on the numbers drawn for it either.
        let values =
            traits.startsFromSkew
            ? initialization.values(block.field, size: block.size, random: &random)
            : [Double](repeating: 0, count: block.rows.count * block.size)
        let skew = try backend.makeMatrix(values, rows: block.rows.count, columns: block.size)
        try workspace.initialize(point, skew: skew, random: &random)
        return (workspace, point)
    }
}
