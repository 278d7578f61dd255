import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import Testing
import ToyDatasets
import URNNCell

/// Frozen parameters keep their bits, and take no part in anything else.
struct FreezingTests {
    private static let patterns = ["encoder.*", GroupFixture.block, "decoder.bias"]

    private static func isFrozen(_ name: String) -> Bool {
        name.hasPrefix("encoder.") || name == GroupFixture.block || name == "decoder.bias"
    }

    @Test(arguments: AnyOptimizer.allCases, [true, false])
    func frozenTensorsKeepTheirBits(kind: AnyOptimizer, onCPU: Bool) throws {
        let fixture = try GroupFixture(onCPU: onCPU)
        let updater = try fixture.updater(kind.optimizer, [ParameterGroup(patterns: Self.patterns, isFrozen: true)]) {
            $0.clipNorm = 2
            $0.clipRecurrent = 0.5
            $0.manifoldLearningRate = 0.25
            $0.recurrentLearningRate = 0.125
        }
        #expect(updater.frozenNames == ["encoder.weight", GroupFixture.block, "decoder.bias"])
        #expect(updater.constrained.isEmpty)
        // Loaded weights may be anything, even where the cell wants a rotation.
        var random = RandomStream(RandomKey(seed: 4, purpose: .shuffle))
        let loaded = (0..<fixture.parameters.count).map { _ in random.uniform(in: -2...2) }
        fixture.backend.upload(loaded, to: fixture.parameters.allValues)
        let before = fixture.values
        try updater.adoptWeights()
        #expect(fixture.values == before)
        try fixture.train(updater)
        let after = fixture.values, frozen = Set(fixture.elements(Self.isFrozen))
        #expect(frozen.count == 40 * 5 + 6 * 6 + 7)
        for index in after.indices {
            #expect((after[index] == before[index]) == frozen.contains(index), "\(index)")
        }
    }

    /// What is frozen doesn't change how the rest is trained.
    @Test(arguments: AnyOptimizer.allCases) func theOthersAreTrainedAsBefore(kind: AnyOptimizer) throws {
        let all = try GroupFixture(), some = try GroupFixture()
        let frozen = ParameterGroup(where: Self.isFrozen, isFrozen: true)
        try all.train(all.updater(kind.optimizer))
        try some.train(some.updater(kind.optimizer, [frozen]))
        let expected = all.values, found = some.values
        for index in all.elements({ !Self.isFrozen($0) }) { #expect(found[index] == expected[index], "\(index)") }
    }

    /// As in torch, where frozen parameters have no gradients.
    @Test func theNormIsThatOfTheOthers() throws {
        let fixture = try GroupFixture()
        let updater = try fixture.updater(SGD(), [ParameterGroup(patterns: Self.patterns, isFrozen: true)]) {
            $0.clipNorm = 1.5
        }
        fixture.setGradients(step: 0)
        let gradient: [Double] = fixture.backend.download(fixture.parameters.allGradients)
        let trained = fixture.elements { !Self.isFrozen($0) }
        let norm = trained.reduce(0) { $0 + gradient[$1] * gradient[$1] }.squareRoot()
        let before = fixture.values
        try updater.update(learningRate: 0.5)
        #expect(abs(try #require(updater.gradientNorm) / norm - 1) < 1e-14 && norm > 2)
        let after = fixture.values, clipped: [Double] = fixture.backend.download(fixture.parameters.allGradients)
        for index in trained {
            let expected = gradient[index] * 1.5 / (norm + 1e-6)
            #expect(abs(clipped[index] - expected) < 1e-14)
            #expect(abs(before[index] - after[index] - 0.5 * expected) < 1e-14)
        }
        for index in fixture.elements(Self.isFrozen) { #expect(clipped[index] == gradient[index]) }
    }

    /// A trainer leaves out what nobody needs; the rest has the same bits.
    /// Without dropout between them, the first layer also does the embedding's part.
    @Test(
        arguments: [["encoder.*"], ["encoder.*", "rnn.*_l0*"], ["encoder.*", "rnn.*"], ["rnn.*_l0*"]],
        [[ModelConfiguration.DropoutPlace.embedding, .output], [.output]])
    func aTrainerComputesTheSame(patterns: [String], places: [ModelConfiguration.DropoutPlace]) throws {
        func weights(skipping: Bool) throws -> [Float] {
            let data = try RecallDataset(length: 6, sizes: SplitSizes(train: 80, valid: 20, test: 20), seed: 3)
            let model = try SequenceModel(
                cell: URNN(),
                configuration: ModelConfiguration(
                    embeddingSize: 5, hiddenSize: 6, layers: 2, dropout: 0.2, dropoutPlaces: Set(places),
                    weightDropout: 0.1, zoneout: 0.1),
                data: data.description, on: try GroupFixture(onCPU: true).backend)
            try ParameterInitializer(seed: 1, parameters: model.parameters, on: model.backend).fillOrthogonalWeights(
                manifold: ExponentialUpdate(), skewInitialization: UniformSkew())
            let updater = try ParameterUpdater(
                model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: UniformSkew(),
                configuration: TrainingConfiguration(epochs: 1, batchSize: 10, learningRate: 0.01, clipNorm: 0.5),
                groups: [ParameterGroup(patterns: patterns, isFrozen: true)])
            if skipping {
                _ = try Trainer(model: model, dataset: data, updater: updater).run()
            } else {
                for step in 0..<8 {
                    let batch = data.batch(.train, epoch: 0, index: step, batchSize: 10)
                    _ = try model.computeGradients(batch, step: step)
                    try updater.update(learningRate: 0.01)
                }
            }
            return model.snapshot()
        }
        let skipped = try weights(skipping: true), whole = try weights(skipping: false)
        #expect(skipped == whole)
    }

    /// With the weights of its initial B, a frozen weight is the one that training would start from.
    @Test func aFrozenWeightStartsWhereATrainedOneWould() throws {
        let trained = try GroupFixture(), frozen = try GroupFixture()
        _ = try trained.updater(SGD())
        let before = frozen.values
        try ParameterInitializer(seed: frozen.model.seed, parameters: frozen.parameters, on: frozen.backend)
            .fillOrthogonalWeights(manifold: ExponentialUpdate(), skewInitialization: UniformSkew())
        #expect(frozen.values != before && frozen.values == trained.values)
        _ = try frozen.updater(SGD(), [ParameterGroup("rnn.*", isFrozen: true)])
        #expect(frozen.values == trained.values)
    }

    /// The bounds on gradients are those of the weight that is there.
    @Test(arguments: [1.0, 2.0]) func theBoundsAreThoseOfTheWeight(factor: Double) throws {
        let fixture = try GroupFixture(cell: URNN())
        let weight = try #require(fixture.parameters["rnn.weight_hh_l0.W"]).value
        fixture.backend.upload((0..<36).map { $0 / 6 == $0 % 6 ? factor : 0.0 }, to: weight)
        _ = try fixture.updater(SGD(), [ParameterGroup("rnn.*", isFrozen: true)])
        let found = try fixture.model.gradientBounds(), bounds = try #require(found)
        #expect(abs(bounds.gain.upperBound - factor) < 1e-12)
    }

    /// All but the orthogonal weight may be frozen.
    @Test(arguments: [true, false]) func onlyTheOrthogonalWeightIsTrained(onCPU: Bool) throws {
        let fixture = try GroupFixture(onCPU: onCPU, cell: URNN()), name = "rnn.weight_hh_l0.W"
        let updater = try fixture.updater(
            Adam(), [ParameterGroup(where: { !$0.hasPrefix("rnn.weight_hh") }, isFrozen: true)]
        ) { $0.clipNorm = 1 }
        let before = fixture.values
        try fixture.train(updater)
        let after = fixture.values, trained = Set(fixture.elements { $0 == name })
        #expect(trained.count == 36 && updater.constrained.map(\.block.name) == [name])
        for index in after.indices {
            #expect((after[index] != before[index]) == trained.contains(index), "\(index)")
        }
    }
}
