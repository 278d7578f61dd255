import CPUBackend
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
import VanillaRNNCell

/// Compares whole models with PyTorch, and with themselves.
struct ModelTests {
    static let torch: [(String, any RecurrentCell, Bool)] = [
        ("classify_gru", GRU(), false), ("classify_rnn_relu", VanillaRNN(), false), ("language_model_gru", GRU(), true),
    ]

    @Test(arguments: torch.indices, [true, false])
    func modelsGivePyTorchsNumbers(index: Int, onCPU: Bool) throws {
        let (name, cell, isLanguageModel) = Self.torch[index]
        let fixture = try PyTorchModelFixture.load(name)
        let backend: any Backend = onCPU ? try CPUBackend() : ReferenceBackend()
        let tolerance = onCPU ? 1e-5 : 1e-12
        let model = try SequenceModel(
            cell: cell,
            configuration: ModelConfiguration(embeddingSize: fixture.inputSize, hiddenSize: fixture.hiddenSize),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: fixture.vocabulary),
                targets: isLanguageModel
                    ? .positionClass(classes: fixture.classes) : .sequenceClass(classes: fixture.classes),
                isContinuous: isLanguageModel, metric: .accuracy),
            on: backend)
        for (index, parameter) in model.parameters.entries.enumerated() {
            backend.upload(fixture.parameters[parameter.name]!.values, to: model.parameters.value(index))
        }
        for (number, step) in fixture.batches.enumerated() {
            let batch = Batch(
                steps: fixture.steps, size: fixture.batch, inputs: .tokens(step.tokens), targets: step.targets,
                startsSequences: number == 0)
            let sums = try model.computeGradients(batch, step: number)
            #expect(abs(sums.meanLoss - step.loss) <= tolerance)
            for (index, parameter) in model.parameters.entries.enumerated() {
                let error = relativeError(
                    backend.download(model.parameters.gradient(index)), step.gradients[parameter.name]!.values)
                #expect(error <= tolerance, "\(parameter.name) in batch \(number)")
            }
            if number == 0 {
                let again = try model.evaluate(batch)
                #expect(abs(again.meanLoss - step.loss) <= tolerance)
            }
        }
    }

    /// Trains for a few steps and returns the results.
    private func train(_ cell: any RecurrentCell, on backend: any Backend, layers: Int = 1) throws -> [Float] {
        let dataset = try RecallDataset(
            length: 12, symbols: 10, sizes: SplitSizes(train: 300, valid: 100, test: 100), seed: 3)
        let model = try SequenceModel(
            cell: cell,
            configuration: ModelConfiguration(
                hiddenSize: 40, layers: layers, dropout: 0.2, dropoutPlaces: [.embedding, .output, .logits]),
            data: dataset.description, on: backend, seed: 5)
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: UniformSkew(),
            configuration: .init(epochs: 2, batchSize: 100, learningRate: 1e-2, clipRecurrent: 0.25))
        let summary = try Trainer(
            model: model, dataset: dataset, updater: updater
        ).run()
        return model.snapshot() + [Float(summary.test!.meanLoss)]
    }

    @Test(arguments: [1, 2, 3, 5], [1, 2])
    func sameBitsAtAnyNumberOfThreads(threads: Int, layers: Int) throws {
        let once = try train(UGRU(), on: CPUBackend(threads: 1), layers: layers)
        let other = try train(UGRU(), on: CPUBackend(threads: threads), layers: layers)
        #expect(once.map(\.bitPattern) == other.map(\.bitPattern))
    }

    @Test func cpuTrainsAsReferenceDoes() throws {
        let cpu = try train(URNN(), on: CPUBackend(), layers: 2).map { Double($0) }
        let reference = try train(URNN(), on: ReferenceBackend(), layers: 2).map { Double($0) }
        #expect(relativeError(cpu, reference) < 1e-3)
    }

    /// In the paper's key case, |x| and an orthogonal weight,
    /// `‖∂x_T/∂x_0‖_F = √H` for any inputs (Theorem 1 with β = γ = 1).
    @Test(arguments: [UInt64(1), 2], [0.02, 0.1, 0.3, 1])
    func absoluteValueKeepsTheGradientsNorm(seed: UInt64, scale: Double) throws {
        let backend = try CPUBackend()
        let (steps, size) = (100, 100)
        let store = ParameterStore()
        let layer = try RecurrentLayer(
            URNN(activation: AbsoluteValue()), inputWidth: 30, hiddenWidth: size, parameters: store, on: backend)
        try store.allocate(on: backend)
        var random = RandomStream(RandomKey(seed: seed, purpose: .test))
        backend.upload((0..<store.count).map { _ in random.normal() }, to: store.allValues)
        let skew = try backend.makeMatrix(
            UniformSkew(scale: scale).values(size: size, random: &random), rows: size, columns: size)
        let exponential = try SkewExponential(size: size, on: backend)
        try exponential(skew, into: store.value(of: store.orthogonalBlocks[0]))

        // Every row of the batch is the same sequence; row i's loss is unit i of the last state.
        var input: [Double] = []
        for _ in 0..<steps {
            let row = (0..<30).map { _ in random.normal() }
            for _ in 0..<size { input += row }
        }
        _ = try layer.forward(
            backend.makeMatrix(input, rows: steps * size, columns: 30), steps: steps, batch: size,
            options: .init(isTraining: true, usesOutputGradient: false, needsInputGradient: false))
        backend.upload((0..<size * size).map { $0 / size == $0 % size ? 1.0 : 0.0 }, to: layer.stateGradient(0))
        try layer.backward()
        let jacobian: [Double] = backend.download(layer.stateGradient(0))
        let norm = jacobian.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(abs(norm / Double(size).squareRoot() - 1) <= 1e-5)
    }

    /// States that are carried over agree with those of one long sequence.
    @Test func statesCarryOver() throws {
        let backend = ReferenceBackend()
        let probe = try CellProbe(GRU(), on: backend, inputWidth: 3, hiddenWidth: 4, steps: 6, batch: 2)
        try probe.forward(probe.variables)
        let input = try backend.makeMatrix((0..<36).map { Double($0 % 7) / 7 }, rows: 12, columns: 3)
        let whole: [Double] = backend.download(
            try probe.layer.forward(input, steps: 6, batch: 2, options: .training))
        _ = try probe.layer.forward(input.rows(0..<8), steps: 4, batch: 2, options: .training)
        let rest: [Double] = backend.download(
            try probe.layer.forward(input.rows(8..<12), steps: 2, batch: 2, initial: .carried, options: .training))
        #expect(Array(whole[32...]) == rest)
    }
}
