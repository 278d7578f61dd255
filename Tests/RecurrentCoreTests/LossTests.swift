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

/// A loss that is quadratic near 0 and linear beyond (Huber 1964), as an outside data set would write it.
private struct Huber: PointwiseLoss {
    var delta = 0.5
    let name = "Huber"
    func callAsFunction(prediction: SymbolicValue, target: SymbolicValue) -> SymbolicValue {
        let error = abs(prediction - target), delta = SymbolicValue(delta)
        return select(error < delta, 0.5 * error * error, delta * (error - 0.5 * delta))
    }
    func value(_ error: Double) -> Double {
        abs(error) < delta ? 0.5 * error * error : delta * (abs(error) - 0.5 * delta)
    }
}

/// The squared distance of the logits from the target's one-hot vector: a loss for classes
/// that is implemented without Core.
private struct OneHotDistance: Loss {
    let name = "one-hot distance"
    func makeExecutor(for data: DatasetDescription, width: Int, on backend: any Backend) throws -> any LossExecutor {
        try Executor(classes: data.classes, on: backend)
    }

    private final class Executor: LossExecutor {
        let backend: any Backend, classes: Int, error: any Kernel

        init(classes: Int, on backend: any Backend) throws {
            self.backend = backend
            self.classes = classes
            error = try backend.compile(
                PointwiseProgram(inputs: 2, scalars: 1) { x, scale in
                    let error = x[0] - (.columnIndex == x[1])
                    return [error * error, 2 * scale[0] * error]
                })
        }

        func start(
            inputs: MatrixView, projection: LinearLayer, batch: Batch, dropout: (rate: Double, key: RandomKey)?,
            gradient: MatrixView?
        ) throws -> PendingLoss {
            let logits = try projection.forward(inputs), rows = logits.rows
            let targets = try backend.makeMatrix(batch.targets.map { Float($0) }, rows: rows, columns: 1)
            let losses = try backend.allocate(rows: rows, columns: classes)
            let target = MatrixView(targets.memory, rows: rows, columns: classes, rowStride: 1, columnStride: 0)
            backend.run(error, inputs: [logits, target], outputs: [losses, logits], scalars: [1 / Double(rows)])
            if let gradient { projection.backward(input: inputs, gradient: logits, into: gradient) }
            let values: [Double] = backend.download(losses)
            return PendingLoss(LossSums(totalLoss: values.reduce(0, +), count: rows))
        }
    }
}

/// Losses that a data set defines.
struct LossTests {
    private static func description(
        _ targets: DatasetDescription.Targets, _ loss: (any Loss)? = nil,
        inputs: DatasetDescription.Inputs = .vectors(width: 2)
    ) -> DatasetDescription {
        DatasetDescription(inputs: inputs, targets: targets, isContinuous: false, metric: .loss, loss: loss)
    }

    /// Returns a batch with real-valued targets, near and far from the predictions.
    private static func batch(perPosition: Bool, lengths: [Int]? = nil) -> Batch {
        let (steps, size) = (4, 5)
        var random = RandomStream(RandomKey(seed: 3, purpose: .test))
        let inputs = (0..<2 * steps * size).map { _ in Float(random.normal()) }
        var values = (0..<(perPosition ? steps * size : size)).map { _ in Float(random.normal()) }
        if perPosition {
            for (column, length) in (lengths ?? []).enumerated() {
                for step in length..<steps { values[step * size + column] = .nan }
            }
        }
        return Batch(steps: steps, size: size, inputs: .vectors(inputs, width: 2), values: values, lengths: lengths)
    }

    private static func model(_ data: DatasetDescription, on backend: any Backend, tied: Bool = false) throws
        -> SequenceModel
    {
        try SequenceModel(
            cell: GRU(),
            configuration: ModelConfiguration(
                embeddingSize: 4, hiddenSize: 4, layers: 2, dropout: 0.3, dropoutPlaces: [.output], tiesEmbedding: tied),
            data: data, on: backend)
    }

    private static let lengths: [[Int]?] = [nil, [4, 1, 3, 2, 4]]

    @Test(arguments: [false, true], lengths)
    func gradientsAgreeWithCentralDifferences(perPosition: Bool, lengths: [Int]?) throws {
        let targets: DatasetDescription.Targets = perPosition ? .positionValue : .sequenceValue
        for loss in [Huber(), SquaredError()] as [any Loss] {
            let model = try Self.model(Self.description(targets, loss), on: ReferenceBackend())
            let error = try gradientError(model, Self.batch(perPosition: perPosition, lengths: lengths))
            #expect(error <= 1e-6, "\(loss.name)")
        }
    }

    @Test(arguments: [false, true], lengths)
    func cpuAgreesWithReference(perPosition: Bool, lengths: [Int]?) throws {
        let batch = Self.batch(perPosition: perPosition, lengths: lengths)
        let count = perPosition ? lengths?.reduce(0, +) ?? 20 : 5
        let results = try [CPUBackend(), ReferenceBackend()].map { (backend: any Backend) -> [Double] in
            let model = try Self.model(
                Self.description(perPosition ? .positionValue : .sequenceValue, Huber()), on: backend)
            let sums = try model.computeGradients(batch, step: 2)
            #expect(sums.count == count)
            return backend.download(model.parameters.allGradients) + [
                sums.totalLoss, try model.evaluate(batch).totalLoss,
            ]
        }
        #expect(relativeError(results[0], results[1]) <= 1e-5)
    }

    /// All weights are 0, so that every prediction is the projection's bias, 0.
    @Test(arguments: [false, true])
    func theLossIsWhatWasWritten(perPosition: Bool) throws {
        let backend = ReferenceBackend(), batch = Self.batch(perPosition: perPosition, lengths: [4, 1, 3, 2, 4])
        let model = try Self.model(
            Self.description(perPosition ? .positionValue : .sequenceValue, Huber()), on: backend)
        backend.fill(model.parameters.allValues, with: 0)
        let targets = batch.values.filter { !$0.isNaN }.map { Double($0) }
        let sums = try model.evaluate(batch)
        #expect(sums.count == targets.count && sums.count == (perPosition ? 14 : 5))
        #expect(abs(sums.totalLoss - targets.reduce(0) { $0 + Huber().value($1) }) < 1e-12)
    }

    /// Positions without a target have no influence, whatever the prediction.
    @Test func positionsWithoutTargetsHaveNoGradient() throws {
        let backend = ReferenceBackend(), batch = Self.batch(perPosition: true)
        let none = Batch(
            steps: batch.steps, size: batch.size, inputs: batch.inputs, values: batch.values.map { _ in .nan })
        let model = try Self.model(Self.description(.positionValue), on: backend)
        #expect(try model.computeGradients(none, step: 0) == LossSums())
        #expect(backend.download(model.parameters.allGradients, as: Double.self).allSatisfy { $0 == 0 })
    }

    @Test(arguments: [false, true])
    func aLossOfClassesByItself(tied: Bool) throws {
        let data = Self.description(.positionClass(classes: 3), OneHotDistance(), inputs: .tokens(vocabulary: 3))
        let batch = Batch(
            steps: 3, size: 2, inputs: .tokens([0, 1, 2, 2, 1, 0]), targets: [1, 1, 0, 2, 0, 1], lengths: [3, 2])
        let results = try [CPUBackend(), ReferenceBackend()].map { (backend: any Backend) -> [Double] in
            let model = try Self.model(data, on: backend, tied: tied)
            let sums = try model.computeGradients(batch, step: 2)
            return backend.download(model.parameters.allGradients) + [sums.totalLoss]
        }
        #expect(relativeError(results[0], results[1]) <= 1e-5)
        #expect(try gradientError(Self.model(data, on: ReferenceBackend(), tied: tied), batch) <= 1e-6)
    }

    /// The adding problem with another loss than its own.
    private struct RobustAdding: Dataset {
        let adding: AddingDataset
        let name = "robust adding"
        var description: DatasetDescription { LossTests.description(.sequenceValue, Huber()) }
        func batchCount(_ split: Split, batchSize: Int) -> Int { adding.batchCount(split, batchSize: batchSize) }
        func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) throws -> Batch {
            adding.batch(split, epoch: epoch, index: index, batchSize: batchSize)
        }
    }

    /// A data set whose targets are the running mean of the inputs' first number, at each position.
    private struct RunningMean: Dataset {
        let name = "running mean"
        var description: DatasetDescription { LossTests.description(.positionValue, inputs: .vectors(width: 1)) }
        func batchCount(_ split: Split, batchSize: Int) -> Int { split == .train ? 40 : 4 }
        func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) throws -> Batch {
            let purpose: RandomPurpose = split == .train ? .trainData : split == .valid ? .validationData : .testData
            var random = RandomStream(RandomKey(seed: 1, purpose: purpose, step: index))
            let steps = 6, inputs = (0..<steps * batchSize).map { _ in Float(random.normal()) }
            var sums = [Float](repeating: 0, count: batchSize), values: [Float] = []
            for position in inputs.indices {
                sums[position % batchSize] += inputs[position]
                values.append(
                    position / batchSize == 0 ? .nan : sums[position % batchSize] / Float(position / batchSize + 1))
            }
            return Batch(steps: steps, size: batchSize, inputs: .vectors(inputs, width: 1), values: values)
        }
    }

    @Test func modelsAreTrainedByThem() throws {
        let robust = RobustAdding(
            adding: try AddingDataset(length: 4, sizes: SplitSizes(train: 400, valid: 40, test: 40)))
        for dataset in [robust, RunningMean()] as [any Dataset] {
            try checkDataset(dataset, batchSize: 10)
            let model = try SequenceModel(
                cell: UGRU(), configuration: ModelConfiguration(hiddenSize: 16), data: dataset.description,
                on: CPUBackend())
            let updater = try ParameterUpdater(
                model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew(),
                configuration: .init(epochs: 5, batchSize: 10, learningRate: 1e-2))
            let before = try model.evaluate(dataset, split: .test, batchSize: 10).meanLoss
            let summary = try Trainer(
                model: model, dataset: dataset, updater: updater
            ).run()
            #expect(summary.test!.meanLoss < before / 3, "\(dataset.name): \(before), \(summary.test!.meanLoss)")
        }
    }

    @Test func eachKindOfTargetHasItsUsualLoss() {
        for (targets, loss) in [
            (.sequenceClass(classes: 3), CrossEntropy()), (.positionClass(classes: 3), CrossEntropy()),
            (.sequenceValue, SquaredError()), (.positionValue, SquaredError()),
        ] as [(DatasetDescription.Targets, any Loss)] {
            #expect(Self.description(targets) == Self.description(targets, loss))
            #expect(Self.description(targets).loss.name == loss.name)
        }
    }

    @Test func descriptionsDifferByTheirLosses() {
        let usual = Self.description(.sequenceValue), huber = Self.description(.sequenceValue, Huber(delta: 1))
        #expect(usual != huber && huber != usual)
        #expect(huber == Self.description(.sequenceValue, Huber(delta: 1)))
        #expect(huber != Self.description(.sequenceValue, Huber(delta: 2)))
    }

    @Test func aLossThatDoesNotFitIsRefused() {
        for (targets, loss) in [
            (.sequenceClass(classes: 3), Huber()), (.positionClass(classes: 3), SquaredError()),
            (.sequenceValue, CrossEntropy()), (.positionValue, CrossEntropy()),
        ] as [(DatasetDescription.Targets, any Loss)] {
            #expect(throws: RecurrentError.self) {
                try Self.model(Self.description(targets, loss), on: ReferenceBackend())
            }
        }
    }
}
