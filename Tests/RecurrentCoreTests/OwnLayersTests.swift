import GRUCell
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import RecurrentTestSupport
import ReferenceBackend
import Testing
import URNNCell

/// Layers that are put together by hand, without a ``SequenceModel``.
struct OwnLayersTests {
    private let backend = ReferenceBackend()

    /// An embedding, a recurrent layer and a projection to one number.
    private struct Network {
        let parameters = ParameterStore()
        let embedding: EmbeddingLayer, layer: RecurrentLayer, projection: LinearLayer

        init(_ cell: any RecurrentCell, on backend: any Backend) throws {
            embedding = try EmbeddingLayer(
                name: "encoder", vocabulary: 4, width: 3, parameters: parameters, on: backend)
            layer = try RecurrentLayer(cell, inputWidth: 3, hiddenWidth: 5, parameters: parameters, on: backend)
            projection = LinearLayer(
                name: "decoder", inputWidth: 5, outputWidth: 2, parameters: parameters, on: backend)
            try parameters.allocate(on: backend)
        }

        /// Fills all parameters as a model with the same names would.
        func fill(seed: UInt64, on backend: any Backend) throws {
            let initializer = ParameterInitializer(seed: seed, parameters: parameters, on: backend)
            initializer.fill(embedding)
            try initializer.fill(layer)
            initializer.fill(projection)
        }
    }

    private static let data = DatasetDescription(
        inputs: .tokens(vocabulary: 4), targets: .sequenceClass(classes: 2), isContinuous: false, metric: .accuracy)

    @Test(arguments: [7, 8]) func theInitialValuesAreThoseOfAModel(seed: UInt64) throws {
        let network = try Network(GRU(), on: backend)
        try network.fill(seed: seed, on: backend)
        let model = try SequenceModel(
            cell: GRU(), configuration: ModelConfiguration(embeddingSize: 3, hiddenSize: 5), data: Self.data,
            on: backend, seed: seed)
        #expect(network.parameters.names == model.parameters.names)
        let values: [Double] = backend.download(network.parameters.allValues)
        #expect(values == backend.download(model.parameters.allValues) && !values.contains(0))
    }

    @Test func tablesMayBeThoseOfALanguageModel() throws {
        let network = try Network(GRU(), on: backend)
        let initializer = ParameterInitializer(seed: 1, parameters: network.parameters, on: backend)
        initializer.fill(network.embedding, .languageModel)
        initializer.fill(network.projection, .languageModel)
        initializer.fillUniform(network.layer.parameterIndices[0], bound: 3)
        func numbers(_ name: String) throws -> [Double] {
            backend.download(try #require(network.parameters[name]).value)
        }
        #expect(try numbers("encoder.weight").allSatisfy { abs($0) <= 0.1 && $0 != 0 })
        #expect(try numbers("decoder.bias").allSatisfy { $0 == 0 })
        #expect(try numbers("rnn.weight_ih_l0").contains { abs($0) > 1 })
    }

    /// The last state's first number learns to be the sum of the tokens, scaled, by a loop of one's own.
    @Test func theyAreTrained() throws {
        let network = try Network(URNN(), on: backend)
        try network.fill(seed: 2, on: backend)
        let updater = try ParameterUpdater(
            parameters: network.parameters, on: backend, optimizer: Adam(), manifold: ExponentialUpdate(),
            skewInitialization: UniformSkew(),
            groups: [ParameterGroup("decoder.bias", isFrozen: true), ParameterGroup("rnn.*", learningRate: 5e-4)],
            measuresNorm: true)
        let bias: [Double] = backend.download(try #require(network.parameters["decoder.bias"]).value)
        let targets = try backend.allocate(rows: 6, columns: 2), error = try backend.allocate(rows: 6, columns: 2)
        let kernel = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [x[0] - x[1]] })
        var losses: [Double] = []
        var random = RandomStream(RandomKey(seed: 3, purpose: .test))
        for step in 0..<150 {
            let ids = (0..<24).map { _ in Int32(random.integer(below: 4)) }
            let sums = (0..<6).map { b in (0..<4).reduce(0.0) { $0 + Double(ids[$1 * 6 + b]) / 8 } }
            backend.upload(sums.flatMap { [$0, -$0] }, to: targets)
            backend.fill(network.parameters.allGradients, with: 0)
            _ = try network.layer.forward(
                network.embedding.forward(ids), steps: 4, batch: 6,
                options: .init(isTraining: true, usesOutputGradient: false, needsInputGradient: true))
            let state = network.layer.finalState(0)
            backend.run(kernel, inputs: [try network.projection.forward(state), targets], outputs: [error])
            losses.append(backend.download(error, as: Double.self).reduce(0) { $0 + $1 * $1 })
            network.projection.backward(input: state, gradient: error, into: network.layer.stateGradient(0))
            try network.layer.backward()
            try network.embedding.backward(network.layer.inputGradient)
            try updater.update(learningRate: 0.02)
            #expect(updater.step == step + 1 && updater.gradientNorm!.isFinite)
        }
        let first = losses.prefix(20).reduce(0, +), last = losses.suffix(20).reduce(0, +)
        #expect(last < first / 20, "\(first), \(last)")
        #expect(backend.download(try #require(network.parameters["decoder.bias"]).value) == bias)
        let weight = network.parameters.value(of: updater.constrained[0].block)
        #expect(try OrthogonalSpectrum.orthogonalityError(of: weight, on: backend) < 1e-12)
    }

    /// A model's updater and that of its parameters are the same.
    @Test func itIsTheUpdaterOfAModel() throws {
        let results = try [true, false].map { isOfModel in
            let fixture = try GroupFixture(), optimizer = Adam(), configuration = TrainingConfiguration(clipNorm: 1)
            try fixture.train(
                isOfModel
                    ? ParameterUpdater(
                        model: fixture.model, optimizer: optimizer, manifold: ExponentialUpdate(),
                        skewInitialization: HenaffSkew(), configuration: configuration)
                    : ParameterUpdater(
                        parameters: fixture.parameters, on: fixture.backend, seed: fixture.model.seed,
                        optimizer: optimizer, manifold: ExponentialUpdate(), skewInitialization: HenaffSkew(),
                        configuration: configuration))
            return fixture.values
        }
        #expect(results[0] == results[1])
    }

    @Test func orthogonalWeightsNeedAManifoldUpdate() throws {
        let network = try Network(URNN(), on: backend), free = try Network(GRU(), on: backend)
        let error = #expect(throws: RecurrentError.self) {
            try ParameterUpdater(parameters: network.parameters, on: backend, optimizer: SGD())
        }
        #expect(
            error?.description.contains(
                "rnn.weight_hh_l0.W is kept orthogonal, which needs a `manifold` and a `skewInitialization`") == true)
        for (parameters, groups) in [
            (free.parameters, []), (network.parameters, [ParameterGroup("rnn.weight_hh_l0", isFrozen: true)]),
        ] {
            #expect(throws: Never.self) {
                try ParameterUpdater(parameters: parameters, on: backend, optimizer: SGD(), groups: groups)
            }
        }
    }
}
