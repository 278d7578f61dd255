import GRUCell
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import ReferenceBackend
import Testing
import ToyDatasets

struct TrainerSettingsTests {
    private func trainer(_ settings: Trainer.Settings) throws -> Trainer {
        let data = try RecallDataset(length: 3, symbols: 3, sizes: SplitSizes(train: 20, valid: 5, test: 5))
        let model = try SequenceModel(
            cell: GRU(), configuration: ModelConfiguration(embeddingSize: 2, hiddenSize: 2), data: data.description,
            backend: ReferenceBackend())
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew())
        return try Trainer(model: model, dataset: data, updater: updater, settings: settings)
    }

    private static let wrong: [(name: String, settings: Trainer.Settings)] = [
        ("epochs", .init(epochs: 0)), ("batch size", .init(batchSize: 0)),
        ("evaluation batch size", .init(evaluationBatchSize: 0)), ("learning rate", .init(learningRate: .nan)),
        ("patience", .init(patience: 0)), ("batches per epoch", .init(batchesPerEpoch: 0)),
        ("steps between checkpoints", .init(checkpointInterval: .steps(0))),
        ("seconds between checkpoints", .init(checkpointInterval: .seconds(-1))),
        ("epochs of a step schedule", .init(schedule: LearningRateSchedule(.step(epochs: 0, factor: 0.5)))),
    ]

    @Test(arguments: wrong.indices) func whatCannotBeIsRefused(index: Int) throws {
        let (name, settings) = Self.wrong[index]
        do {
            _ = try trainer(settings)
            Issue.record("\(name) was taken")
        } catch RecurrentError.invalidOption(let reason) { #expect(reason.contains(name)) }
    }

    /// More steps than a number can count.
    @Test(arguments: [LearningRateSchedule.Shape.constant, .cosine]) func epochsWithoutEnd(shape: LearningRateSchedule.Shape) throws {
        let trainer = try trainer(.init(epochs: .max, batchSize: 5, stopLoss: 100, schedule: LearningRateSchedule(shape)))
        let summary = try trainer.run()
        #expect(summary.end == .lossReached(100) && summary.epochs.count == 1)
    }
}
