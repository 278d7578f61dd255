/// An observer that measures `∂x_T/∂x_1` every few batches of training, or after every
/// batch of some epochs, and passes the results to other observers with
/// ``TrainingObserver/didMeasure(_:step:)``.
public final class GradientTracker: TrainingObserver {
    private let interval: Int?
    private let epochs: Set<Int>
    private let model: SequenceModel
    private let dataset: any Dataset
    private let batchSize: Int, shards: Int
    private let flow: GradientFlow
    private let observers: [any TrainingObserver]

    /// Creates a tracker of the gradients in a model's last recurrent layer.
    ///
    /// - Parameters:
    ///   - interval: the number of batches from one measurement to the next; nil to measure
    ///     only in `epochs`.
    ///   - epochs: the epochs, counted from 1, in which every batch is measured.
    ///   - model: the model that is trained.
    ///   - dataset: the data set that it is trained on.
    ///   - batchSize: the batch size of the training.
    ///   - shards: the number of shards of a batch, of which the first that has a sequence is measured.
    ///   - samples: the largest number of sequences of a batch to measure.
    ///   - observers: the observers that receive the results.
    public init(
        every interval: Int?, epochs: Set<Int> = [], model: SequenceModel, dataset: any Dataset, batchSize: Int,
        shards: Int = 1, samples: Int = 4, observers: [any TrainingObserver]
    ) {
        precondition(interval.map { $0 > 0 } ?? !epochs.isEmpty)
        self.interval = interval
        self.epochs = epochs
        self.model = model
        self.dataset = dataset
        self.batchSize = batchSize
        self.shards = shards
        self.observers = observers
        flow = GradientFlow(model, samples: samples)
    }

    /// If a measurement is due, measures the batch that was just trained, with the weights
    /// after its update.
    public func didTrainBatch(_ progress: BatchProgress) throws {
        let isDue = interval.map { progress.step.isMultiple(of: $0) } ?? false
        guard isDue || epochs.contains(progress.epoch) else { return }
        let whole = try dataset.batch(
            .train, epoch: progress.epoch - 1, index: progress.batch - 1, batchSize: batchSize)
        // A small last batch may have no sequence for the first shard.
        guard let batch = (0..<shards).lazy.map({ whole.shard($0, of: self.shards) }).first(where: { $0.size > 0 })
        else { return }
        let norms = try flow.measure(
            batch, operatorNorms: .lastStep, continuing: model.data.isContinuous && !batch.startsSequences)
        let (frobenius, operatorNorm) = (norms.last.frobenius, norms.last.operatorNorm!)
        var values = [
            "frobeniusNorm": frobenius.mean, "frobeniusNormMinimum": frobenius.minimum,
            "frobeniusNormMaximum": frobenius.maximum, "operatorNorm": operatorNorm.mean,
            "steps": Double(batch.steps - 1),
        ]
        if let bounds = try model.gradientBounds() {
            let range = bounds.frobeniusNorm(after: batch.steps - 1)
            values["lowerBound"] = range.lowerBound
            values["upperBound"] = range.upperBound
        }
        for observer in observers { try observer.didMeasure(values, step: progress.step) }
    }
}
