/// A batch whose update has been requested, and whose loss may still be on its way.
private struct TrainedBatch {
    let loss: PendingLoss
    /// The batch's number within the epoch, from 1.
    let number: Int
    /// The number of its update, from 1.
    let step: Int
    let sequences: Int
    let learningRate: Double
}

extension Trainer {
    /// Trains the remaining batches of the current epoch; ``progress`` says where it stands.
    ///
    /// Where the device computes losses asynchronously and all observers accept late batches,
    /// the host starts the next batch before it reads the loss of the last one, so the device
    /// never waits for it. Meanwhile the update is gated on the device, so that a loss that
    /// isn't finite prevents it.
    ///
    /// - Returns: why the run ended, or nil if it continues after the epoch.
    func trainEpoch(since runStart: ContinuousClock.Instant, _ runSeconds: Double) throws -> TrainingEnd? {
        let start = clock.now, secondsBefore = progress.seconds
        let count = batchesPerEpoch
        // A run with a practically unlimited number of epochs ends by patience or by hand.
        let (steps, isEndless) = configuration.epochs.multipliedReportingOverflow(by: count)
        let validationLosses = progress.records.map(\.validation.meanLoss)
        let mayBeLate = observers.allSatisfy(\.acceptsLateBatches)
        var pending: TrainedBatch?

        func finish(_ batch: TrainedBatch) throws -> TrainingEnd? {
            let sums = try batch.loss.sums()
            guard sums.totalLoss.isFinite else { return .diverged(step: batch.step, loss: sums.meanLoss) }
            progress.batches = batch.number
            progress.sums += sums
            progress.sequences += batch.sequences
            progress.learningRate = batch.learningRate
            progress.seconds = secondsBefore + (clock.now - start).inSeconds
            progress.runSeconds = runSeconds + (clock.now - runStart).inSeconds
            let report = BatchProgress(
                epoch: progress.epoch, batch: batch.number, batchesPerEpoch: count, step: batch.step,
                epochSums: progress.sums, batchSums: sums, sequences: progress.sequences, seconds: progress.seconds,
                learningRate: batch.learningRate)
            for observer in observers { try observer.didTrainBatch(report) }
            return nil
        }
        func finishPending() throws -> TrainingEnd? {
            defer { pending = nil }
            return try pending.flatMap(finish)
        }

        for index in progress.batches..<max(count, progress.batches) {
            let batch = try dataset.batch(
                .train, epoch: progress.epoch - 1, index: index, batchSize: configuration.batchSize)
            let step = updater.step
            var (loss, vote) = try sharded.startGradients(batch, step: step) {
                ShardedModel.Vote(stops: shouldStop(), saves: isTimeToSave)
            }
            if !mayBeLate || loss.largest == nil {
                let sums = try loss.sums()
                guard sums.totalLoss.isFinite else { return .diverged(step: step + 1, loss: sums.meanLoss) }
                loss = PendingLoss(sums)
            }
            let moment = ScheduleMoment(
                base: configuration.learningRate, step: step, epoch: progress.epoch,
                totalSteps: isEndless ? .max : steps,
                warmupSteps: configuration.warmupSteps, validationLosses: validationLosses)
            let rate = schedule.rate(at: moment) * moment.warmup
            var overflows = false
            do {
                try updater.update(learningRate: rate, gate: loss.largest, shards: sharded.plan.count)
            } catch RecurrentError.linearAlgebra {
                overflows = true
            }
            // First the previous loss, which the device has by now; then this one, if it is known.
            if let end = try finishPending() { return end }
            pending = TrainedBatch(
                loss: loss, number: index + 1, step: updater.step, sequences: batch.size, learningRate: rate)
            if overflows {
                // The weight can't be computed from B, so there is no further loss. A device that
                // doesn't report this at once ends the same way: the next loss, or the
                // validation loss, is NaN.
                return try finishPending() ?? .diverged(step: updater.step + (index + 1 < count ? 1 : 0), loss: .nan)
            }
            if loss.largest == nil, let end = try finishPending() { return end }
            let stops = vote?.stops ?? shouldStop()
            // The checkpoint for the last batch is written at the end of the epoch.
            if stops || ((isNumberedToSave || vote?.saves ?? isTimeToSave) && index + 1 < count) {
                if let end = try finishPending() { return end }
                try reachCheckpoint()
            }
            if stops { return .interrupted }
        }
        if let end = try finishPending() { return end }
        model.backend.synchronize()
        progress.seconds = secondsBefore + (clock.now - start).inSeconds
        return nil
    }
}
