import ManifoldUpdates
import RecurrentCore
import RecurrentTestSupport
import Synchronization
import Testing

/// Runs with any manifold update have the same bits at any number of ranks, and after they were interrupted.
struct ManifoldResumeTests {
    typealias Runs = ShardedRunTests

    /// A kind of run with an update, some of which have a base that has moved when the run is interrupted.
    static let cases: [(kind: Runs.Case, update: any ManifoldUpdate)] = [
        (.urnn, DynamicTrivializationUpdate(period: 3)), (.urnn, RetractionUpdate(.polar)),
        (.urnn, RetractionUpdate(.qr)), (.urnn, RetractionUpdate(.cayley)), (.urnn, HouseholderUpdate()),
        (.ugru, MarginUpdate(period: 3)), (.urnn, ScaledCayleyUpdate(negativeOnes: 3)),
        (.unitary, ExponentialUpdate()), (.unitary, DynamicTrivializationUpdate(period: 3)),
        (.unitary, RetractionUpdate(.qr)), (.unitary, MarginUpdate(period: 3)), (.unitary, ArjovskyUpdate()),
    ]

    /// An observer that stops a run after some batches.
    private final class Stopper: TrainingObserver {
        let isDue = Atomic<Bool>(false)
        let after: Int
        init(after: Int) { self.after = after }
        func didTrainBatch(_ progress: BatchProgress) throws {
            if progress.step >= after { isDue.store(true, ordering: .relaxed) }
        }
    }

    @Test(arguments: cases.indices) func theBitsAreTheSame(index: Int) throws {
        let (kind, update) = Self.cases[index]
        let groups = [ParameterGroup(where: { _ in true }, manifold: update)]
        let folder = try TemporaryDirectory(), path = folder.path + "/state", best = folder.path + "/best"
        func run(_ ranks: Int, resuming: Bool, stopAfter: Int) throws -> [[Float]] {
            try LocalRanks.run(ranks) { communicator in
                let keeper = Runs.Keeper(path), stopper = Stopper(after: stopAfter)
                let trainer = try Runs.trainer(
                    kind, shards: 8, communicator, observers: [keeper, stopper], groups: groups,
                    shouldStop: { stopper.isDue.load(ordering: .relaxed) })
                if resuming { _ = try trainer.restore(from: path, best: best) }
                _ = try trainer.run()
                if communicator.rank == 0 { try trainer.model.save(to: best) }
                return trainer.model.snapshot()
            }
        }
        let whole = try Runs.outcome(kind, ranks: 1, groups: groups)
        #expect(whole.losses.allSatisfy { $0.totalLoss.isFinite })
        #expect(try Runs.outcome(kind, ranks: 2, groups: groups) == whole)
        _ = try run(2, resuming: false, stopAfter: 5)
        for weights in try run(1, resuming: true, stopAfter: .max) { #expect(weights == whole.weights) }
        #expect(try Runs.tensors(path) == whole.state)
    }
}
