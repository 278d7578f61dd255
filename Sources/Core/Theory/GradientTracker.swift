/// An observer that measures `∂x_T/∂x_1` every few batches of training, or after every
/// batch of some epochs, and passes the results to other observers with
/// ``TrainingObserver/didMeasure(_:step:)``.
public final class GradientTracker: TrainingObserver {
    private let interval: Int?
    private let epochs: Set<Int>
    private let model: SequenceModel
    private let dataset: any Dataset
    private let batchSize: Int, samples: Int
    private let plan: ShardPlan
    private let communicator: any Communicator
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
    ///   - shards: the number of shards of a batch, among which the sequences to measure are spread.
    ///   - communicator: the group of processes that train together. Each of them needs a tracker, and measures the
    ///     sequences of its own shards.
    ///   - samples: the largest number of sequences of a batch to measure.
    ///   - observers: the observers that receive the results.
    public init(
        every interval: Int?, epochs: Set<Int> = [], model: SequenceModel, dataset: any Dataset, batchSize: Int,
        shards: Int = 1, communicator: any Communicator = OneRank(), samples: Int = 4, observers: [any TrainingObserver]
    ) {
        precondition(interval.map { $0 > 0 } ?? !epochs.isEmpty)
        self.interval = interval
        self.epochs = epochs
        self.model = model
        self.dataset = dataset
        self.batchSize = batchSize
        self.samples = samples
        self.communicator = communicator
        plan = ShardPlan(shards, communicator)
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
        let chosen = whole.sequencesToMeasure(samples, shards: plan.count)
        guard chosen.contains(where: { !$0.isEmpty }) else {
            throw RecurrentError.invalidOption(
                "no sequence of this batch has all of its \(whole.steps) steps, so no gradient can be tracked")
        }
        let carriesOver = model.data.isContinuous && !whole.startsSequences
        var own: (frobenius: [Double], operatorNorms: [Double]) = ([], [])
        for (index, shard) in plan.own.enumerated() where !chosen[shard].isEmpty {
            let carried = model.carriedShards.isEmpty ? nil : model.carriedShards[index]
            let norms = try flow.measure(
                whole.shard(shard, of: plan.count), chosen[shard], steps: 1...whole.steps, operatorNorms: .lastStep,
                start: carriesOver ? carried.map { .before($0) } ?? .lastPass : .zeros
            ).last
            own.frobenius += norms.frobenius.values
            own.operatorNorms += norms.operatorNorm!.values
        }
        let all = try communicator.allGather(own.frobenius + own.operatorNorms)
        let frobenius = GradientNorms.Statistics(values: all.flatMap { $0.prefix($0.count / 2) })
        let operatorNorm = GradientNorms.Statistics(values: all.flatMap { $0.suffix($0.count / 2) })
        var values = [
            "frobeniusNorm": frobenius.mean, "frobeniusNormMinimum": frobenius.minimum,
            "frobeniusNormMaximum": frobenius.maximum, "operatorNorm": operatorNorm.mean,
            "steps": Double(whole.steps - 1),
        ]
        if let bounds = try model.gradientBounds() {
            let range = bounds.frobeniusNorm(after: whole.steps - 1)
            values["lowerBound"] = range.lowerBound
            values["upperBound"] = range.upperBound
        }
        for observer in observers { try observer.didMeasure(values, step: progress.step) }
    }
}

extension Batch {
    /// Returns the sequences to measure in each of several shards, counted within the shard: at most `count` of those
    /// that are as long as the batch, spread over the shards that have some.
    fileprivate func sequencesToMeasure(_ count: Int, shards: Int) -> [[Int]] {
        let long = (0..<shards).map { shard in
            let part = Batch.sequences(ofShard: shard, of: shards, size: size)
            return part.filter { lengths?[$0] ?? steps >= steps }.map { $0 - part.lowerBound }
        }
        var wanted = [Int](repeating: 0, count: shards)
        let fitting = long.indices.filter { !long[$0].isEmpty }
        if !fitting.isEmpty { for sample in 0..<count { wanted[fitting[sample * fitting.count / count]] += 1 } }
        return zip(long, wanted).map { Array($0.prefix($1)) }
    }
}
