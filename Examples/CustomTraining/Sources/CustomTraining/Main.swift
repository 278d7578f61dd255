// Trains with a loop of its own: a uRNN learns to recall the first of 10 numbers and then, with a frozen
// embedding, the first of 20.
import CPUBackend
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import ToyDatasets
import URNNCell

/// Cross-entropy with smoothed targets (Szegedy et al. 2016).
struct LabelSmoothing: ClassLoss {
    let smoothing: Double
    let name = "label smoothing"
    func callAsFunction(_ term: ClassTerm) -> SymbolicValue {
        let share = (1 - smoothing) * term.isTarget + smoothing / Double(term.classes)
        return -share * term.logProbability
    }
}

/// Trains a model, and saves its weights after each epoch with a better validation loss.
func train(
    _ model: SequenceModel, by updater: ParameterUpdater, on dataset: some Dataset, epochs: Int, saving path: String
) throws {
    let batchSize = 100, batches = dataset.batchCount(.train, batchSize: batchSize)
    var best = Double.infinity
    for epoch in 0..<epochs {
        var training = LossSums()
        for index in 0..<batches {
            let batch = try dataset.batch(.train, epoch: epoch, index: index, batchSize: batchSize)
            let sums = try model.computeGradients(batch, step: updater.step)
            guard sums.totalLoss.isFinite else {
                throw RecurrentError.diverged(step: updater.step, loss: sums.meanLoss)
            }
            training += sums
            try updater.update(learningRate: updater.configuration.learningRate)
        }
        let validation = try model.evaluate(dataset, split: .valid, batchSize: batchSize)
        print("epoch \(epoch + 1): loss \(training.meanLoss), validation accuracy \(validation.accuracy)")
        if validation.meanLoss < best {
            best = validation.meanLoss
            try model.save(to: path)
        }
    }
}

@main
struct Main {
    static func main() throws {
        let path = CommandLine.arguments.dropFirst().first ?? "recall.safetensors"
        let data = DatasetDescription(
            inputs: .tokens(vocabulary: 10), targets: .sequenceClass(classes: 10), isContinuous: false,
            metric: .accuracy, loss: LabelSmoothing(smoothing: 0.1))
        let configuration = ModelConfiguration(embeddingSize: 30, hiddenSize: 50)
        let model = try SequenceModel(cell: URNN(), configuration: configuration, data: data, on: CPUBackend())
        func makeUpdater(_ groups: ParameterGroup...) throws -> ParameterUpdater {
            try ParameterUpdater(
                model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew(),
                configuration: TrainingConfiguration(learningRate: 0.003, clipNorm: 1), groups: groups)
        }
        try train(model, by: makeUpdater(), on: RecallDataset(length: 10), epochs: 5, saving: path)

        // Fine-tuning: the updater is made first, as it sets the orthogonal weight; then it adopts the saved one.
        let tuner = try makeUpdater(
            ParameterGroup("encoder.*", isFrozen: true),
            ParameterGroup("decoder.*", learningRate: 0.01, optimizer: SGD(momentum: 0.9)))
        try model.load(from: path)
        try tuner.adoptWeights()
        try train(model, by: tuner, on: RecallDataset(length: 20), epochs: 10, saving: path)

        // The best weights in a program that only predicts: ten sequences that begin with 0, 1, … 9.
        let trained = try TrainedModel(
            weights: path, cell: URNN(), configuration: configuration, data: data, on: CPUBackend())
        let session = try trained.makeSession(streams: 10)
        try session.advance(sequences: (0..<10).map { first in [first] + (1..<20).map { (first + 3 * $0) % 10 } })
        print("the first numbers were", try session.probabilities().map(\.largest))
    }
}
