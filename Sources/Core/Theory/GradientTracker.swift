/// Measures `∂x_T/∂x_1` every few batches of training, or after every batch of some
/// epochs, and tells other observers by
/// ``TrainingObserver/didMeasure(_:step:)``.
public final class GradientTracker: TrainingObserver {
    private let interval: Int?
    private let epochs: Set<Int>
    private let model: SequenceModel
    private let dataset: any Dataset
    private let batchSize: Int
    private let flow: GradientFlow
    private let observers: [any TrainingObserver]

    /// - Parameters:
    ///   - interval: batches from one measurement to the next; nil: only in `epochs`.
    ///   - epochs: from 1, in which every batch is measured.
    ///   - model: what is trained.
    ///   - dataset: that it is trained on.
    ///   - batchSize: of training.
    ///   - samples: how many sequences of the batch are measured at most.
    ///   - observers: who is told.
    public init(
        every interval: Int?, epochs: Set<Int> = [], model: SequenceModel, dataset: any Dataset, batchSize: Int,
        samples: Int = 4, observers: [any TrainingObserver]
    ) {
        precondition(interval.map { $0 > 0 } ?? !epochs.isEmpty)
        self.interval = interval
        self.epochs = epochs
        self.model = model
        self.dataset = dataset
        self.batchSize = batchSize
        self.observers = observers
        flow = GradientFlow(model, samples: samples)
    }

    /// On the batch that was just trained, with the weights after it.
    public func didTrainBatch(_ progress: BatchProgress) throws {
        let isDue = interval.map { progress.step.isMultiple(of: $0) } ?? false
        guard isDue || epochs.contains(progress.epoch) else { return }
        let batch = try dataset.batch(
            .train, epoch: progress.epoch - 1, index: progress.batch - 1, batchSize: batchSize)
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
