import CPUBackend
import Foundation
import GRUCell
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import RecurrentTestSupport
import ReferenceBackend
import Testing
import ToyDatasets
import UGRUCell
import URNNCell

/// The results of PyTorch's schedulers, clipping and L2 penalties, written by `training.py`.
struct TrainingFixture: Decodable {
    struct Clipped: Decodable {
        let norm: Double
        let first: [Double]
        let last: [Double]
    }
    let losses: [Double]
    let schedules: [String: [Double]]
    let gradient: [Double]
    let clipped: [String: Clipped]
    let decay: [String: [[Double]]]

    static func load() throws -> TrainingFixture {
        let url = fixtureFile("training")
        return try JSONDecoder().decode(TrainingFixture.self, from: Data(contentsOf: url))
    }
}

struct TrainingTests {
    @Test(
        arguments: [
            ("step", StepSchedule(epochs: 3, factor: 0.5), 0),
            ("plateau", PlateauSchedule(patience: 1, factor: 0.25), 0),
            ("impatient", PlateauSchedule(patience: 0, factor: 0.25, minimum: 0.001), 0),
            ("cosine", CosineSchedule(minimum: 0.01), 0),
            ("warmup-cosine", CosineSchedule(minimum: 0.01), 4),
        ] as [(String, any LearningRateSchedule, Int)])
    func schedulesAreTorchs(name: String, schedule: any LearningRateSchedule, warmupSteps: Int) throws {
        let fixture = try TrainingFixture.load()
        for (index, expected) in fixture.schedules[name]!.enumerated() {
            // There is one step per epoch.
            let moment = ScheduleMoment(
                base: 0.1, step: index, epoch: index + 1, totalSteps: 14, warmupSteps: warmupSteps,
                validationLosses: Array(fixture.losses[..<index]))
            let rate = schedule.rate(at: moment) * moment.warmup
            #expect(abs(rate - expected) <= 1e-14, "\(name), epoch \(index + 1)")
        }
    }

    @Test func warmupIsAStraightLine() {
        let rates = (0..<6).map { step in
            let moment = ScheduleMoment(base: 2, step: step, epoch: 1, totalSteps: 6, warmupSteps: 4)
            return ConstantSchedule().rate(at: moment) * moment.warmup
        }
        #expect(rates == [0.5, 1, 1.5, 2, 2, 2])
    }

    /// Returns a model whose gradients can be set at will.
    private func model(_ backend: any Backend, _ cell: any RecurrentCell = GRU()) throws -> SequenceModel {
        try SequenceModel(
            cell: cell, configuration: ModelConfiguration(embeddingSize: 20, hiddenSize: 20),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 400), targets: .positionClass(classes: 3), isContinuous: false,
                metric: .accuracy),
            on: backend)
    }

    @Test(arguments: [0.5, 1000.0], [true, false]) func clippingByNormIsTorchs(bound: Double, onCPU: Bool) throws {
        let fixture = try TrainingFixture.load(), backend: any Backend = onCPU ? try CPUBackend() : ReferenceBackend()
        let model = try model(backend)
        // The rest of the gradient is zero; the numbers cross the borders of pieces.
        let count = model.parameters.count
        #expect(count > fixture.gradient.count)
        backend.upload(
            fixture.gradient + [Double](repeating: 0, count: count - fixture.gradient.count),
            to: model.parameters.allGradients)
        backend.fill(model.parameters.allValues, with: 0)
        let updater = try ParameterUpdater(
            model: model, optimizer: SGD(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew(),
            configuration: .init(clipNorm: bound))
        #expect(updater.gradientNorm == nil)
        try updater.update(learningRate: 1)
        let expected = fixture.clipped["\(bound)"]!, tolerance = onCPU ? 1e-6 : 1e-14
        #expect(abs(updater.gradientNorm! / expected.norm - 1) <= tolerance)
        let step: [Double] = backend.download(model.parameters.allValues).map { -$0 }
        #expect(relativeError(Array(step[..<5]), expected.first) <= tolerance)
        #expect(relativeError(Array(step[9995..<10000]), expected.last) <= tolerance)
    }

    @Test func anL2PenaltyIsTorchs() throws {
        let backend = ReferenceBackend(), fixture = try TrainingFixture.load()
        let optimizers: [(String, any Optimizer)] = [
            ("sgd", SGD(momentum: 0.9, weightDecay: 0.3)), ("rmsprop", RMSprop(weightDecay: 0.3)),
            ("adam", Adam(weightDecay: 0.3)),
        ]
        for (name, optimizer) in optimizers {
            let model = try model(backend)
            let updater = try ParameterUpdater(
                model: model, optimizer: optimizer, manifold: ExponentialUpdate(), skewInitialization: ZeroSkew())
            let some = model.parameters.allValues.columns(0..<4),
                gradient = model.parameters.allGradients.columns(0..<4)
            backend.upload([1.5, -0.75, 0, 3], to: some)
            for (index, expected) in fixture.decay[name]!.enumerated() {
                backend.upload([0.1, -0.2, 0.3, 0].map { $0 * Double(index + 1) }, to: gradient)
                try updater.update(learningRate: 0.1)
                #expect(relativeError(backend.download(some), expected) <= 1e-12, "\(name), step \(index + 1)")
            }
        }
    }

    /// A uGRU has both kinds in one packed weight: two free gates, one orthogonal block.
    @Test(arguments: [1.0, 0.25]) func freeRecurrentWeightsHaveARateOfTheirOwn(factor: Double) throws {
        let backend = ReferenceBackend(), model = try model(backend, UGRU())
        let updater = try ParameterUpdater(
            model: model, optimizer: SGD(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew(),
            configuration: .init(learningRate: 0.5, recurrentLearningRate: 0.5 * factor))
        let before: [Double] = backend.download(model.parameters.allValues)
        backend.fill(model.parameters.allGradients, with: 1)
        try updater.update(learningRate: 0.5)
        let after: [Double] = backend.download(model.parameters.allValues)
        let orthogonal = model.parameters.range(of: try #require(model.parameters.orthogonalBlocks.first))
        let recurrent = model.parameters.recurrentWeights.flatMap { index -> [Int] in
            let start = model.parameters.entries[..<index].reduce(0) { $0 + $1.count }
            return Array(start..<start + model.parameters.entries[index].count)
        }
        #expect(recurrent.count == 3 * 20 * 20 && orthogonal.count == 20 * 20)
        for index in before.indices where !orthogonal.contains(index) {
            let step = recurrent.contains(index) ? 0.5 * factor : 0.5
            #expect(abs(before[index] - after[index] - step) <= 1e-12, "\(index)")
        }
    }

    /// Skew parameters don't decay, since that would pull W towards I.
    @Test(arguments: [true, false]) func skewParametersDoNotDecay(isDecoupled: Bool) throws {
        let backend = ReferenceBackend(), model = try model(backend, URNN())
        let optimizer: any Optimizer = isDecoupled ? AdamW(weightDecay: 0.5) : Adam(weightDecay: 0.5)
        let updater = try ParameterUpdater(
            model: model, optimizer: optimizer, manifold: ExponentialUpdate(), skewInitialization: UniformSkew())
        let skew: [Double] = backend.download(updater.constrained[0].skew)
        let values: [Double] = backend.download(model.parameters.allValues)
        backend.fill(model.parameters.allGradients, with: 0)
        try updater.update(learningRate: 0.1)
        #expect(backend.download(updater.constrained[0].skew) == skew)
        #expect(backend.download(model.parameters.allValues, as: Double.self) != values)
    }
}

/// Dropout of every kind: gradients through the masks, and the masks themselves.
struct RegularizationTests {
    private static let data = DatasetDescription(
        inputs: .tokens(vocabulary: 7), targets: .positionClass(classes: 7), isContinuous: true, metric: .perplexity)
    private static let batch = Batch(
        steps: 5, size: 3, inputs: .tokens([0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 2, 2, 5, 6, 3]),
        targets: [1, 2, 3, 4, 5, 6, 0, 1, 2, 2, -1, 5, 6, 3, 0])

    private static func configuration(_ change: (inout ModelConfiguration) -> Void) -> ModelConfiguration {
        var result = ModelConfiguration(embeddingSize: 4, hiddenSize: 4, layers: 2, dropout: 0)
        change(&result)
        return result
    }

    static let configurations: [(String, ModelConfiguration)] = [
        ("tied", configuration { $0.tiesEmbedding = true }),
        ("words", configuration { $0.embeddingDropout = 0.4 }),
        ("weights", configuration { $0.weightDropout = 0.5 }),
        ("zoneout", configuration { $0.zoneout = 0.4 }),
        (
            "locked",
            configuration { ($0.dropout, $0.dropoutPlaces, $0.locksDropout) = (0.4, [.embedding, .output], true) }
        ),
        (
            "all",
            configuration {
                ($0.dropout, $0.dropoutPlaces, $0.locksDropout) = (0.3, [.embedding, .output, .logits], true)
                ($0.embeddingDropout, $0.weightDropout, $0.zoneout, $0.tiesEmbedding) = (0.2, 0.3, 0.2, true)
            }
        ),
    ]

    @Test(arguments: configurations.indices, [0, 1]) func gradientsAgreeWithCentralDifferences(index: Int, cell: Int)
        throws
    {
        let cells: [any RecurrentCell] = [GRU(), UGRU(activation: Tanh())]
        let backend = ReferenceBackend(), (name, configuration) = Self.configurations[index]
        let model = try SequenceModel(
            cell: cells[cell], configuration: configuration, data: Self.data, on: backend, seed: 3)
        let values: [Double] = backend.download(model.parameters.allValues)
        func loss(_ values: [Double]) throws -> Double {
            backend.upload(values, to: model.parameters.allValues)
            return try model.computeGradients(Self.batch, step: 11).meanLoss
        }
        _ = try loss(values)
        let gradient: [Double] = backend.download(model.parameters.allGradients)
        let expected = try centralDifferences(values, step: 1e-4, loss)
        #expect(relativeError(gradient, expected) <= 1e-6, "\(name)")
        // Another step draws different masks, and evaluation draws none.
        if name != "tied" {
            let first = try loss(values)
            #expect(try model.computeGradients(Self.batch, step: 12).meanLoss != first)
            let plain = try SequenceModel(
                cell: cells[cell],
                configuration: Self.configuration {
                    ($0.tiesEmbedding, $0.zoneout) = (configuration.tiesEmbedding, configuration.zoneout)
                },
                data: Self.data, on: backend, seed: 3)
            #expect(try model.evaluate(Self.batch) == plain.evaluate(Self.batch))
        }
    }

    @Test(arguments: configurations.indices) func cpuAgreesWithReference(index: Int) throws {
        let results = try [CPUBackend(), ReferenceBackend()].map { (backend: any Backend) -> [Double] in
            let model = try SequenceModel(
                cell: UGRU(), configuration: Self.configurations[index].1, data: Self.data, on: backend, seed: 3)
            let sums = try model.computeGradients(Self.batch, step: 4)
            return backend.download(model.parameters.allGradients) + [sums.meanLoss]
        }
        #expect(relativeError(results[0], results[1]) <= 1e-5)
    }

    @Test func aLockedMaskIsTheSameInAllSteps() throws {
        let backend = ReferenceBackend(), layer = try DropoutLayer(rate: 0.5, isLocked: true, on: backend)
        let ones = try backend.makeMatrix([Double](repeating: 1, count: 6 * 4 * 8), rows: 6 * 4, columns: 8)
        let masked: [Double] = backend.download(
            try layer.forward(ones, batch: 4, key: RandomKey(seed: 1, purpose: .dropout)))
        let first = Array(masked[..<32])
        #expect(Set(first) == [0, 2])
        for step in 1..<6 { #expect(Array(masked[step * 32..<(step + 1) * 32]) == first) }
        // Each sequence of a batch has its own mask.
        #expect(Array(first[..<8]) != Array(first[8..<16]))
    }

    @Test func wordsAreDroppedWhereverTheyStand() throws {
        let backend = ReferenceBackend(), store = ParameterStore()
        let layer = try EmbeddingLayer(
            name: "encoder", vocabulary: 40, width: 3, dropout: 0.5, parameters: store, on: backend)
        try store.allocate(on: backend)
        backend.fill(store.allValues, with: 1)
        let ids = (0..<80).map { Int32($0 % 40) }
        let rows: [Double] = backend.download(try layer.forward(ids, key: RandomKey(seed: 1, purpose: .dropout)))
        #expect(Set(rows) == [0, 2])
        #expect(Array(rows[..<120]) == Array(rows[120...]))
        for word in 0..<40 { #expect(Set(rows[3 * word..<3 * word + 3]).count == 1) }
    }

    @Test func aTiedTableIsSavedOnce() throws {
        let model = try SequenceModel(
            cell: GRU(), configuration: Self.configurations[0].1, data: Self.data, on: ReferenceBackend())
        let names = model.parameters.entries.map(\.name)
        #expect(names.contains("encoder.weight") && names.contains("decoder.bias") && !names.contains("decoder.weight"))
    }

    @Test func whatCannotBeTiedIsRefused() {
        #expect(throws: RecurrentError.self) {
            try Self.configuration { ($0.tiesEmbedding, $0.hiddenSize) = (true, 5) }.checkTies(to: GRU())
        }
        #expect(throws: RecurrentError.self) {
            try SequenceModel(
                cell: GRU(), configuration: Self.configurations[0].1,
                data: DatasetDescription(
                    inputs: .tokens(vocabulary: 7), targets: .sequenceClass(classes: 3), isContinuous: false,
                    metric: .accuracy),
                on: ReferenceBackend())
        }
    }
}
