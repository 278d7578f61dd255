import CPUBackend
import GRUCell
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// The length of the error's vector in each row: a loss of several numbers that isn't a sum over them.
private struct Distance: ScoreLoss {
    let name = "distance"
    func prepare(for data: DatasetDescription, on backend: any Backend) throws -> any PreparedScoreLoss {
        try Prepared(backend)
    }
    private final class Prepared: PreparedScoreLoss {
        private let backend: any Backend, square: any Kernel, root: any Kernel, slope: any Kernel
        init(_ backend: any Backend) throws {
            self.backend = backend
            square = try backend.compile(
                PointwiseProgram(inputs: 2) { x, _ in [(x[0] - x[1]) * (x[0] - x[1])] })
            root = try backend.compile(PointwiseProgram(inputs: 1) { x, _ in [sqrt(x[0])] })
            slope = try backend.compile(PointwiseProgram(inputs: 3) { x, _ in [(x[0] - x[1]) / x[2]] })
        }
        func compute(scores: MatrixView, targets: MatrixView, losses: MatrixView, gradient: MatrixView?) throws {
            let (rows, width) = (scores.rows, scores.columns)
            let squares = try backend.allocate(rows: rows, columns: width)
            backend.run(square, inputs: [scores, targets], outputs: [squares])
            backend.reduceRows(.sum, squares, into: losses)
            backend.run(root, inputs: [losses], outputs: [losses])
            guard let gradient else { return }
            backend.run(
                slope, inputs: [scores, targets, losses.broadcast(rows: rows, columns: width)], outputs: [gradient])
        }
    }
}

/// Several numbers that are predicted at once.
struct SeveralValuesTests {
    private static let width = 3, steps = 4, size = 6

    private static func data(_ loss: (any Loss)?, perPosition: Bool) -> DatasetDescription {
        DatasetDescription(
            inputs: .vectors(width: 2),
            targets: perPosition ? .positionValues(count: width) : .sequenceValues(count: width), isContinuous: false,
            metric: .loss, loss: loss)
    }

    /// Returns a batch in which some positions have no target.
    private static func batch(perPosition: Bool, seed: UInt64 = 3) -> Batch {
        var random = RandomStream(RandomKey(seed: seed, purpose: .test))
        let inputs = (0..<2 * steps * size).map { _ in Float(random.normal()) }
        var values = (0..<(perPosition ? steps * size : size) * width).map { _ in Float(random.normal()) }
        if perPosition {
            // One missing number is a missing target.
            for row in [0, 7, 8] { values[row * width + row % width] = .nan }
        }
        return Batch(
            steps: steps, size: size, inputs: .vectors(inputs, width: 2), values: values, valueWidth: width)
    }

    private static func model(_ loss: (any Loss)?, perPosition: Bool, on backend: any Backend) throws -> SequenceModel {
        try SequenceModel(
            cell: GRU(), configuration: ModelConfiguration(hiddenSize: 4),
            data: data(loss, perPosition: perPosition), on: backend)
    }

    @Test(arguments: [false, true], [false, true])
    func gradientsAgreeWithCentralDifferences(perPosition: Bool, byRows: Bool) throws {
        let model = try Self.model(byRows ? Distance() : nil, perPosition: perPosition, on: ReferenceBackend())
        let batch = Self.batch(perPosition: perPosition)
        #expect(try gradientError(model, batch) <= 1e-6)
        let sums = try model.evaluate(batch), rows = perPosition ? 21 : 6
        #expect(sums.count == (byRows ? rows : rows * Self.width))
    }

    /// All weights are 0, so that every prediction is 0.
    @Test func theLossIsTheMeanOverAllNumbers() throws {
        let model = try Self.model(nil, perPosition: true, on: ReferenceBackend())
        model.backend.fill(model.parameters.allValues, with: 0)
        let batch = Self.batch(perPosition: true)
        let rows = (0..<24).map { batch.values[$0 * 3..<$0 * 3 + 3].map { Double($0) } }
        let complete = rows.filter { !$0.contains(where: \.isNaN) }.joined()
        let expected = complete.reduce(0) { $0 + $1 * $1 } / Double(complete.count)
        let loss = try model.evaluate(batch).meanLoss
        #expect(complete.count == 63 && abs(loss - expected) < 1e-12)
    }

    private struct Numbers: Dataset {
        let name = "numbers", loss: (any Loss)?
        var description: DatasetDescription { SeveralValuesTests.data(loss, perPosition: true) }
        func batchCount(_ split: Split, batchSize: Int) -> Int { batchSize == SeveralValuesTests.size ? 4 : 0 }
        func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
            SeveralValuesTests.batch(
                perPosition: true, seed: UInt64(index + (split == .train ? 10 : split == .valid ? 20 : 30)))
        }
    }

    /// Shards are weighted by their rows with a target.
    @Test(arguments: [false, true]) func shardsHaveTheGradientOfTheBatch(byRows: Bool) throws {
        let loss: (any Loss)? = byRows ? Distance() : nil
        try checkDataset(Numbers(loss: loss), batchSize: Self.size)
        let results = try [1, 2].map { shards in
            let model = try Self.model(loss, perPosition: true, on: ReferenceBackend()), data = Numbers(loss: loss)
            let updater = try ParameterUpdater(
                parameters: model.parameters, on: model.backend, optimizer: SGD(),
                configuration: TrainingConfiguration(epochs: 1, batchSize: Self.size, shards: shards, learningRate: 0.1)
            )
            _ = try Trainer(model: model, dataset: data, updater: updater).run()
            return model.snapshot().map { Double($0) }
        }
        #expect(relativeError(results[1], results[0]) < 1e-6)
    }

    @Test(arguments: [false, true]) func cpuAgreesWithReference(byRows: Bool) throws {
        let batch = Self.batch(perPosition: true)
        let results = try [CPUBackend(), ReferenceBackend()].map { (backend: any Backend) -> [Double] in
            let model = try Self.model(byRows ? Distance() : nil, perPosition: true, on: backend)
            let sums = try model.computeGradients(batch, step: 0)
            return backend.download(model.parameters.allGradients) + [sums.totalLoss]
        }
        #expect(relativeError(results[0], results[1]) <= 1e-5)
    }
}
