import RecurrentCore
import RecurrentTestSupport
import Synchronization

extension ShardedRunTests {
    /// An observer that stops a run after some batches.
    private final class Stopper: TrainingObserver {
        let isDue = Atomic<Bool>(false)
        let after: Int
        init(after: Int) { self.after = after }
        func didTrainBatch(_ progress: BatchProgress) throws {
            if progress.step >= after { isDue.store(true, ordering: .relaxed) }
        }
    }

    /// Trains a run on some ranks until it has had some batches, and returns every rank's weights; its state and weights are in
    /// `state` and `best` in the folder, from which it may be resumed.
    static func interruptedRun(
        _ kind: Case, _ ranks: Int, _ groups: [ParameterGroup], in folder: TemporaryDirectory, resuming: Bool,
        stopAfter: Int
    ) throws -> [[Float]] {
        let path = folder.path + "/state", best = folder.path + "/best"
        return try LocalRanks.run(ranks) { communicator in
            let keeper = Keeper(path), stopper = Stopper(after: stopAfter)
            let trainer = try trainer(
                kind, shards: 8, communicator, observers: [keeper, stopper], groups: groups,
                shouldStop: { stopper.isDue.load(ordering: .relaxed) })
            if resuming { _ = try trainer.restore(from: path, best: best) }
            _ = try trainer.run()
            if communicator.rank == 0 { try trainer.model.save(to: best) }
            return trainer.model.snapshot()
        }
    }
}
