import CUDABackend
import GRUCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// Losses for real-valued targets, whose equations become kernels.
struct LossTests {
    private struct LogCosh: PointwiseLoss {
        let name = "log cosh"
        func callAsFunction(prediction: SymbolicValue, target: SymbolicValue) -> SymbolicValue {
            let error = prediction - target
            return log((exp(error) + exp(-error)) / 2)
        }
    }

    @Test(arguments: [false, true])
    func numbersAgreeWithReference(perPosition: Bool) throws {
        let (steps, size) = (3, 4)
        var random = RandomStream(RandomKey(seed: 3, purpose: .test))
        let inputs = (0..<2 * steps * size).map { _ in Float(random.normal()) }
        // With a target per position, every fifth position has none.
        let values = (0..<(perPosition ? steps * size : size)).map {
            perPosition && $0 % 5 == 0 ? .nan : Float(random.normal())
        }
        let batch = Batch(steps: steps, size: size, inputs: .vectors(inputs, width: 2), values: values)
        let backends: [any Backend] = [CUDABackend(driver: EmulatedDevice(blockSize: 32)), ReferenceBackend()]
        let results = try backends.map { backend -> [Double] in
            let model = try SequenceModel(
                cell: GRU(), configuration: ModelConfiguration(hiddenSize: 4),
                data: DatasetDescription(
                    inputs: .vectors(width: 2), targets: perPosition ? .positionValue : .sequenceValue,
                    isContinuous: false,
                    metric: .loss, loss: LogCosh()),
                on: backend)
            let sums = try model.computeGradients(batch, step: 0)
            #expect(sums.count == (perPosition ? 9 : 4))
            return backend.download(model.parameters.allGradients) + [sums.totalLoss]
        }
        #expect(relativeError(results[0], results[1]) <= 1e-5)
    }

    private struct Focal: ClassLoss {
        let name = "focal loss"
        func callAsFunction(_ term: ClassTerm) -> SymbolicValue {
            let rest = 1 - term.probability
            return -term.weight * term.isTarget * rest * rest * term.logProbability
        }
        func weights(classes: Int) -> [Double] { (1...classes).map { 1 / Double($0) } }
    }

    @Test func rowsOfClassesAgreeWithReference() throws {
        let batch = Batch(
            steps: 3, size: 2, inputs: .tokens([0, 1, 2, 3, 4, 0]), targets: [1, -1, 0, 2, 3, 1])
        let backends: [any Backend] = [CUDABackend(driver: EmulatedDevice(blockSize: 32)), ReferenceBackend()]
        let results = try backends.map { backend -> [Double] in
            let model = try SequenceModel(
                cell: GRU(), configuration: ModelConfiguration(embeddingSize: 3, hiddenSize: 4, dropout: 0.3),
                data: DatasetDescription(
                    inputs: .tokens(vocabulary: 5), targets: .positionClass(classes: 37), isContinuous: false,
                    metric: .accuracy, loss: Focal()),
                on: backend)
            let sums = try model.computeGradients(batch, step: 0)
            #expect(sums.count == 5)
            return backend.download(model.parameters.allGradients) + [sums.totalLoss, Double(sums.correct)]
        }
        #expect(relativeError(results[0], results[1]) <= 1e-5)
    }
}
