// Trains a uRNN to recall the first of 20 numbers.
import CPUBackend
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import ToyDatasets
import URNNCell

final class Printer: TrainingObserver {
    func didFinishEpoch(_ record: EpochRecord) {
        print("epoch \(record.epoch): validation accuracy \(record.validation.accuracy)")
    }
}

@main
struct Main {
    static func main() throws {
        let recall = try RecallDataset(length: 20)
        let model = try SequenceModel(
            cell: URNN(), configuration: ModelConfiguration(embeddingSize: 30, hiddenSize: 50),
            data: recall.description, on: CPUBackend())
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew(),
            configuration: .init(epochs: 40, stopLoss: 0.05))
        let trainer = try Trainer(
            model: model, dataset: recall, updater: updater, observers: [Printer()])
        let summary = try trainer.run()
        print("test accuracy \(summary.test!.accuracy)")
    }
}
