import CUDABackend
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import Testing
import ToyDatasets
import URNNCell
import VanillaRNNCell

/// Losses that the host reads while the device works on the next batch.
struct LateLossTests {
    /// An observer that keeps everything it is told.
    final class Log: TrainingObserver {
        let acceptsLateBatches: Bool
        var steps: [Int] = [], losses: [Double] = [], epochs: [LossSums] = []
        /// The number of batches in the epoch's sums at each checkpoint.
        var counts: [Int] = []
        init(late: Bool) { acceptsLateBatches = late }
        func didTrainBatch(_ progress: BatchProgress) {
            steps.append(progress.step)
            losses.append(progress.batchSums.totalLoss)
        }
        func didFinishEpoch(_ record: EpochRecord) { epochs.append(record.train) }
        func didReachCheckpoint(_ checkpoint: TrainingCheckpoint) { counts.append(checkpoint.progress.batches) }
    }

    /// Trains for two epochs of five batches.
    static func train(
        _ cell: any RecurrentCell = URNN(), late: Bool, rate: Double, checkpoint: String? = nil,
        stopAfter: Int = .max, on backend: CUDABackend = CUDABackend(driver: EmulatedDevice(blockSize: 32))
    ) throws -> (log: Log, values: [Float], end: String) {
        let data = try RecallDataset(length: 4, symbols: 4, sizes: SplitSizes(train: 50, valid: 10, test: 10))
        let model = try SequenceModel(
            cell: cell, configuration: ModelConfiguration(embeddingSize: 3, hiddenSize: 5), data: data.description,
            on: backend)
        let updater = try ParameterUpdater(
            model: model, optimizer: SGD(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew(),
            configuration: .init(epochs: 2, batchSize: 10, learningRate: rate, checkpointEvery: checkpoint))
        let log = Log(late: late)
        let trainer = try Trainer(
            model: model, dataset: data, updater: updater,
            observers: [log],
            shouldStop: { updater.step >= stopAfter })
        do {
            let summary = try trainer.run()
            return (log, model.snapshot(), "\(summary.end)")
        } catch { return (log, model.snapshot(), "\(error)") }
    }

    @Test func nothingElseChanges() throws {
        let late = try Self.train(late: true, rate: 0.1), prompt = try Self.train(late: false, rate: 0.1)
        #expect(late.log.steps == Array(1...10) && late.log.losses == prompt.log.losses)
        #expect(late.log.epochs == prompt.log.epochs && late.log.epochs.count == 2)
        #expect(late.values == prompt.values && late.end == prompt.end)
    }

    /// A checkpoint includes every batch that was trained.
    @Test func aCheckpointWaitsForAllLosses() throws {
        let late = try Self.train(late: true, rate: 0.1, checkpoint: "2", stopAfter: 8)
        let prompt = try Self.train(late: false, rate: 0.1, checkpoint: "2", stopAfter: 8)
        #expect(late.log.counts == [2, 4, 0, 1, 3] && late.log.counts == prompt.log.counts)
        #expect(late.end == "interrupted" && late.log.steps == Array(1...8))
        #expect(late.values == prompt.values)
    }

    /// The error names the same step, whose update isn't made.
    @Test func aRunThatDivergesEndsAtTheSameStep() throws {
        let late = try Self.train(VanillaRNN(), late: true, rate: 1e30),
            prompt = try Self.train(VanillaRNN(), late: false, rate: 1e30)
        #expect(late.end.contains("the loss became"), "\(late.end)")
        #expect(late.end == prompt.end && late.log.losses == prompt.log.losses)
        #expect(late.values.allSatisfy { $0.isFinite })
    }

    @Test(arguments: [Float.infinity, .nan, 1]) func theDeviceHoldsAnUpdateBack(gate: Float) throws {
        let data = try RecallDataset(length: 4, symbols: 4, sizes: SplitSizes(train: 50, valid: 10, test: 10))
        let backend = CUDABackend(driver: EmulatedDevice(blockSize: 32))
        let model = try SequenceModel(
            cell: URNN(), configuration: ModelConfiguration(embeddingSize: 3, hiddenSize: 5), data: data.description,
            on: backend)
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: HenaffSkew())
        _ = try model.computeGradients(data.batch(.train, epoch: 0, index: 0, batchSize: 10), step: 0)
        let before = model.snapshot(), skew: [Float] = backend.download(updater.constrained[0].skew)
        try updater.update(learningRate: 0.1, gate: backend.makeMatrix([gate], rows: 1, columns: 1))
        #expect((model.snapshot() == before) == !gate.isFinite)
        #expect((backend.download(updater.constrained[0].skew, as: Float.self) == skew) == !gate.isFinite)
    }
}
