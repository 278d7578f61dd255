import GRUCell
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import ReferenceBackend
import Testing
import ToyDatasets

struct TrainerConfigurationTests {
    private func trainer(
        _ configuration: TrainingConfiguration, _ schedule: any LearningRateSchedule = ConstantSchedule()
    ) throws -> Trainer {
        let data = try RecallDataset(length: 3, symbols: 3, sizes: SplitSizes(train: 20, valid: 5, test: 5))
        let model = try SequenceModel(
            cell: GRU(), configuration: ModelConfiguration(embeddingSize: 2, hiddenSize: 2), data: data.description,
            on: ReferenceBackend())
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew(),
            configuration: configuration)
        return try Trainer(
            model: model, dataset: data, updater: updater, schedule: schedule)
    }

    private static let wrong:
        [(name: String, configuration: TrainingConfiguration, schedule: any LearningRateSchedule)] = [
            ("epochs", .init(epochs: 0), ConstantSchedule()), ("batchSize", .init(batchSize: 0), ConstantSchedule()),
            ("evaluationBatchSize", .init(evaluationBatchSize: 0), ConstantSchedule()),
            ("learningRate", .init(learningRate: .nan), ConstantSchedule()),
            ("patience", .init(patience: 0), ConstantSchedule()),
            ("batchesPerEpoch", .init(batchesPerEpoch: 0), ConstantSchedule()),
            ("checkpointEvery", .init(checkpointEvery: "0"), ConstantSchedule()),
            ("checkpointEvery", .init(checkpointEvery: "-1m"), ConstantSchedule()),
            ("scheduleEpochs", .init(), StepSchedule(epochs: 0, factor: 0.5)),
            ("scheduleFactor", .init(), PlateauSchedule(patience: 1, factor: 1)),
        ]

    @Test(arguments: wrong.indices) func whatCannotBeIsRefused(index: Int) throws {
        let (name, configuration, schedule) = Self.wrong[index]
        do {
            _ = try trainer(configuration, schedule)
            Issue.record("\(name) was taken")
        } catch RecurrentError.invalidOption(let reason) { #expect(reason.contains("`\(name)`")) }
    }

    /// More steps than an integer can count.
    @Test(arguments: [ConstantSchedule(), CosineSchedule()] as [any LearningRateSchedule])
    func epochsWithoutEnd(schedule: any LearningRateSchedule) throws {
        let trainer = try trainer(.init(epochs: .max, batchSize: 5, stopLoss: 100), schedule)
        let summary = try trainer.run()
        #expect(summary.end == .lossReached(100) && summary.epochs.count == 1)
    }
}
