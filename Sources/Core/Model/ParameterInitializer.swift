/// Sets the first values of a store's parameters, with one random stream for each, so that a parameter's values depend only
/// on the seed and its number.
///
///     try parameters.allocate(on: backend)
///     let initializer = ParameterInitializer(seed: 1, parameters: parameters, on: backend)
///     initializer.fill(embedding)
///     initializer.fill(layer)
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
    /// and for per-unit vectors, which get their declared values.
    public func fill(_ layer: RecurrentLayer, weights: RecurrentInitialization = .uniform) {
        let size = layer.hiddenWidth
        let bound = 1 / Double(size).squareRoot()
        for (number, packed) in zip(layer.parameterIndices, layer.layout.packed) {
            var values: [Double] = []
            for (position, part) in packed.parts.enumerated() {
                var random = stream(number, part: position)
                switch (part.parameter.kind, weights) {
                case (.perUnit(let initialValue), _):
                    values += [Double](repeating: initialValue, count: size)
                case (.recurrentWeight, .identity):
                    values += (0..<size * size).map { $0 / size == $0 % size ? 1 : 0 }
                case (.recurrentWeight, .orthogonal):
                    values += RandomMatrix.orthogonal(size, &random)
                case (.recurrentWeight, .rotations):
                    values += RandomMatrix.rotations(size, &random)
                case (.inputWeight, _), (.recurrentWeight, .uniform):
                    values += (0..<size * packed.columns).map { _ in random.uniform(in: -bound...bound) }
                case (.inputBias, _), (.recurrentBias, _):
                    values += (0..<size).map { _ in random.uniform(in: -bound...bound) }
                }
            }
            backend.upload(values, to: parameters.value(number))
        }
    }

    /// Sets every weight that is kept orthogonal from its initial skew parameter B, as a ``ParameterUpdater`` with the same
    /// seed does for those that it trains; for weights that stay frozen, or that are used without training.
    ///
    /// - Parameters:
    ///   - manifold: the manifold update that gives the weight for B.
    ///   - skewInitialization: the initialization of each B.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if a weight can't be computed, and what the backend throws.
    public func fillOrthogonalWeights(
        manifold: any ManifoldUpdate, skewInitialization: any SkewInitialization
    ) throws {
        for (index, block) in parameters.orthogonalBlocks.enumerated() {
            let skew = try skewInitialization.makeSkew(of: index, parameters, seed: seed, on: backend)
            try manifold.makeWorkspace(size: block.rows.count, on: backend.exact).computeWeight(
                from: skew, into: parameters.value(of: block))
        }
    }
}

extension SkewInitialization {
    /// Returns the initial B [n, n] of the orthogonal block with this number.
    func makeSkew(
        of index: Int, _ parameters: ParameterStore, seed: UInt64, on backend: any Backend
    ) throws -> MatrixView {
        let block = parameters.orthogonalBlocks[index], size = block.rows.count
        var random = RandomStream(
            RandomKey(seed: seed, purpose: .initialization, stream: block.parameter, step: 1000 + index))
        return try backend.makeMatrix(values(size: size, random: &random), rows: size, columns: size)
    }
}
