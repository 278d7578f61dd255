import CPUBackend
import GRUCell
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import ReferenceBackend
import Testing

/// Gradients whose squares overflow in Float.
struct HugeGradientTests {
    private func model(_ backend: any Backend) throws -> SequenceModel {
        try SequenceModel(
            cell: GRU(), configuration: ModelConfiguration(embeddingSize: 20, hiddenSize: 20),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 400), targets: .positionClass(classes: 3), isContinuous: false,
                metric: .accuracy),
            on: backend)
    }

    /// The squares of such gradients overflow in Float, and an infinite norm would turn every update into zero.
    @Test(arguments: [1e15, 1e20, 1e30, 3e38], [true, false]) func hugeGradientsAreClipped(
        size: Double, onCPU: Bool
    ) throws {
        let backend: any Backend = onCPU ? try CPUBackend() : ReferenceBackend(), model = try model(backend)
        backend.fill(model.parameters.allValues, with: 0)
        backend.fill(model.parameters.allGradients, with: 0)
        let places = [0, 4095, 4096, 9000], some = places.map { model.parameters.allGradients.columns($0..<$0 + 1) }
        for (view, part) in zip(some, [1, -0.5, 0.25, 1e-3]) { backend.upload([part * size], to: view) }
        let updater = try ParameterUpdater(
            model: model, optimizer: SGD(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew(),
            configuration: .init(clipNorm: 2))
        try updater.update(learningRate: 1)
        let norm = (1 + 0.25 + 0.0625 + 1e-6).squareRoot()
        #expect(abs(updater.gradientNorm! / (norm * size) - 1) < 1e-6)
        let step: [Double] = backend.download(model.parameters.allValues)
        for (place, part) in zip(places, [1, -0.5, 0.25, 1e-3]) {
            #expect(abs(-step[place] * norm / 2 - part) < 1e-6)
        }
    }

    /// A gradient that isn't a number, or a mean square that overflows, must not stop the updates without a word.
    @Test(arguments: [Double.infinity, -.infinity, .nan]) func gradientsThatArentFiniteDiverge(gradient: Double) throws
    {
        let backend = try CPUBackend(), model = try model(backend)
        for (optimizer, clip) in [(SGD(), nil), (SGD(), 1), (Adam(), nil), (RMSprop(), 1)] as [(any Optimizer, Double?)]
        {
            backend.fill(model.parameters.allValues, with: 0)
            backend.fill(model.parameters.allGradients, with: 0)
            backend.upload([gradient], to: model.parameters.allGradients.columns(7..<8))
            let updater = try ParameterUpdater(
                model: model, optimizer: optimizer, manifold: ExponentialUpdate(), skewInitialization: ZeroSkew(),
                configuration: .init(clipNorm: clip))
            try updater.update(learningRate: 1)
            let value: [Double] = backend.download(model.parameters.allValues.columns(7..<8))
            #expect(!value[0].isFinite, "\(optimizer.name)")
        }
    }

    @Test(arguments: [Adam(), AdamW(), RMSprop(), RMSprop(weightDecay: 0.1)] as [any Optimizer])
    func aMeanSquareThatOverflowsIsNoStandstill(optimizer: any Optimizer) throws {
        let backend = try CPUBackend(), model = try model(backend)
        backend.fill(model.parameters.allGradients, with: 1e25)
        let updater = try ParameterUpdater(
            model: model, optimizer: optimizer, manifold: ExponentialUpdate(), skewInitialization: ZeroSkew())
        try updater.update(learningRate: 1e-3)
        let values: [Double] = backend.download(model.parameters.allValues)
        #expect(!values.contains { !$0.isNaN })
    }
}
