/// A model whose batches are cut into shards, of which this process computes its own.
///
/// With one shard, it only passes batches on.
final class ShardedModel {
    let model: SequenceModel
    let plan: ShardPlan
    private let communicator: any Communicator
    private let tree: GradientTree?
    /// The sums of each own shard's loss, and the votes of each rank.
    private let numbers: SharedNumbers?
    /// The lowest layer whose gradients are needed; those below are frozen.
    private let lowest: Int
    /// The states of the own shards, where there are several.
    var carried: [CarriedStates] { model.carriedShards }

    /// What the ranks agree on after the loss of a batch.
    struct Vote {
        /// Whether a rank was asked to stop.
        var stops = false
        /// Whether rank 0 wants to save the run.
        var saves = false
    }

    /// Prepares the sums over shards of a model whose parameters an updater trains.
    init(_ model: SequenceModel, shards: Int, _ updater: ParameterUpdater) throws {
        let communicator = updater.communicator
        self.model = model
        lowest = model.stack.lowestTrained(isFrozen: updater.isFrozen)
        self.communicator = communicator
        plan = ShardPlan(shards, communicator)
        let own = plan.own.count
        tree = shards > 1 ? try GradientTree(model.parameters.allGradients, leaves: own, on: model.backend) : nil
        numbers = communicator.size > 1 ? try SharedNumbers(4 * own + 2, communicator) : nil
        model.carriedShards = own > 1 ? plan.own.map { _ in CarriedStates() } : []
    }

    /// Computes the loss and the gradients of a batch. The gradients are the sum over the own shards, each a mean over its
    /// targets, in proportion to their number.
    ///
    /// - Parameter vote: returns the vote of this rank.
    /// - Returns: the loss of the whole batch, and what the ranks agreed on; nil if there is only one.
    func startGradients(_ batch: Batch, step: Int, vote: () -> Vote) throws -> (loss: PendingLoss, vote: Vote?) {
        guard let tree else { return (try model.startGradients(batch, step: step, lowest: lowest), nil) }
        let counts = batch.targetCounts(shards: plan.count), total = max(counts.reduce(0, +), 1)
        // The loss of a shard is read when the next one is under way.
        var losses = LateLosses()
        model.backend.fill(model.parameters.allGradients, with: 0)
        for (index, shard) in plan.own.enumerated() {
            let part = batch.shard(shard, of: plan.count)
            if part.size > 0 {
                try losses.add(
                    model.addGradients(
                        part, masks: MaskKeys(seed: model.seed, step: step, shard: shard),
                        carried: carried.isEmpty ? nil : carried[index], lowest: lowest))
            } else {
                try losses.add(PendingLoss(LossSums()))
            }
            tree.add(index, weight: Double(plan.count) * Double(counts[shard]) / Double(total))
        }
        let (all, agreed) = try gather(losses.finish(), vote)
        return (PendingLoss(ShardPlan.sum(all) { $0 + $1 }), agreed)
    }

    /// Gives every rank the sums of all shards, in their order.
    private func gather(_ sums: [LossSums], _ vote: () -> Vote) throws -> (sums: [LossSums], vote: Vote?) {
        guard let numbers else { return (sums, nil) }
        let own = vote()
        let all = try numbers.gather(sums.flatMap(\.numbers) + [own.stops ? 1 : 0, own.saves ? 1 : 0])
        let width = 4 * sums.count + 2
        var result: [LossSums] = [], agreed = Vote()
        for rank in 0..<communicator.size {
            let start = rank * width
            for index in sums.indices { result.append(LossSums(numbers: all[(start + 4 * index)...])) }
            agreed.stops = agreed.stops || all[start + width - 2] != 0
            if rank == 0 { agreed.saves = all[start + width - 1] != 0 }
        }
        return (result, agreed)
    }

    /// Evaluates a whole split with the model's present weights, without dropout. Each rank computes a part of it.
    ///
    /// Batches of separate sequences are divided among the ranks; where each batch continues the last one, its shards are.
    ///
    /// - Throws: what ``SequenceModel/evaluate(_:split:batchSize:)`` throws.
    func evaluate(_ dataset: any Dataset, split: Split, batchSize: Int) throws -> LossSums {
        guard plan.count > 1 else { return try model.evaluate(dataset, split: split, batchSize: batchSize) }
        try BatchSizes(wanted: [(split, "batchSize", batchSize)]).check(dataset)
        let count = dataset.batchCount(split, batchSize: batchSize)
        func batch(_ index: Int) throws -> Batch {
            try dataset.batch(split, epoch: 0, index: index, batchSize: batchSize)
        }
        var losses = LateLosses()
        guard model.data.isContinuous else {
            let ranks = communicator.size
            for index in stride(from: communicator.rank, to: count, by: ranks) {
                try losses.add(model.startEvaluation(batch(index)))
            }
            let all = try share(losses.finish()) { (count - $0 + ranks - 1) / ranks }
            return (0..<count).reduce(into: LossSums()) { $0 += all[$1 % ranks][$1 / ranks] }
        }
        let shards = min(plan.count, 1 << batchSize.trailingZeroBitCount), parts = ShardPlan(shards, communicator)
        let carried = parts.own.map { _ in CarriedStates() }
        for index in 0..<count {
            let whole = try batch(index)
            for (number, shard) in parts.own.enumerated() {
                try losses.add(model.startEvaluation(whole.shard(shard, of: shards), carried: carried[number]))
            }
        }
        let each = parts.perRank
        let all = try share(losses.finish()) { $0 * each < shards ? count * each : 0 }
        return (0..<count).reduce(into: LossSums()) { sum, index in
            let sums = (0..<shards).map { shard in all[shard / each][index * each + shard % each] }
            sum += ShardPlan.sum(sums) { $0 + $1 }
        }
    }

    /// Returns the sums of all ranks.
    ///
    /// - Parameter count: returns how many a rank must have.
    /// - Throws: ``RecurrentError/dataset(_:)`` if it has others.
    private func share(_ sums: [LossSums], count: (_ rank: Int) -> Int) throws -> [[LossSums]] {
        let all = try communicator.allGather(sums.flatMap(\.numbers)).map { numbers in
            stride(from: 0, to: numbers.count, by: 4).map { LossSums(numbers: numbers[$0...]) }
        }
        if let other = all.indices.first(where: { all[$0].count != count($0) }) {
            throw RecurrentError.dataset(
                "rank \(other) has evaluated other batches than rank \(communicator.rank) expects; give all of them the same data"
            )
        }
        return all
    }
}

extension LossSums {
    /// The sums as four numbers.
    fileprivate var numbers: [Double] { [totalLoss, Double(correct), Double(count), Double(accuracyCount)] }

    fileprivate init(numbers: some RandomAccessCollection<Double>) {
        let numbers = Array(numbers.prefix(4))
        self.init(
            totalLoss: numbers[0], correct: Int(numbers[1]), count: Int(numbers[2]), accuracyCount: Int(numbers[3]))
    }

    fileprivate static func + (a: LossSums, b: LossSums) -> LossSums {
        var sum = a
        sum += b
        return sum
    }
}
