import CUDABackend
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import ReferenceBackend
import Testing

/// `∂x_t/∂x_1`, computed by the kernels of the emulated device.
struct GradientNormTests {
    private static func norms(_ cell: any RecurrentCell, on backend: any Backend, like reference: SequenceModel?) throws
        -> (model: SequenceModel, norms: GradientNorms)
    {
        let model = try SequenceModel(
            cell: cell, configuration: ModelConfiguration(embeddingSize: 5, hiddenSize: 6, zoneout: 0.1),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 9), targets: .sequenceClass(classes: 9), isContinuous: false,
                metric: .accuracy),
            on: backend, seed: 3)
        if let reference {
            model.restore(reference.snapshot())
        } else {
            _ = try ParameterUpdater(
                model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: HenaffSkew())
        }
        let batch = Batch(
            steps: 5, size: 3, inputs: .tokens((0..<15).map { Int32($0 * $0 % 9) }), targets: [1, 4, 2],
            lengths: [5, 5, 3])
        return (model, try GradientFlow(model).measure(batch))
    }

    @Test(arguments: DeviceChecks.emulatedCells) func agreeWithReference(name: String) throws {
        let cell = DeviceChecks.cells[name]!()
        let expected = try Self.norms(cell, on: ReferenceBackend(), like: nil)
        let tested = try Self.norms(cell, on: CUDABackend(driver: EmulatedDevice(blockSize: 32)), like: expected.model)
        #expect(tested.norms.steps.count == 5)
        for (ours, theirs) in zip(tested.norms.steps, expected.norms.steps) {
            #expect(ours.frobenius.values.count == 2)
            for (a, b) in zip(
                ours.frobenius.values + ours.operatorNorm!.values, theirs.frobenius.values + theirs.operatorNorm!.values
            ) {
                #expect(abs(a - b) <= 1e-4 * b, "\(name), step \(ours.step)")
            }
        }
        // The norms must be large enough to be meaningful.
        #expect(expected.norms.last.frobenius.values[0] > 1e-4)
    }
}
