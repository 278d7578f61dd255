import CPUBackend
import Foundation
import RecurrentCore
import RecurrentOptimizers
import RecurrentTestSupport
import ReferenceBackend
import Synchronization
import Testing

/// What the ranks of a run agree on and share.
struct RankTests {
    typealias Runs = ShardedRunTests

    /// The mean over shards is the mean over the batch, apart from rounding.
    @Test(arguments: [2, 16]) func shardsHaveTheGradientOfTheBatch(shards: Int) throws {
        let one = try Runs.outcome(.gru, shards: 1, ranks: 1, isDouble: true)
        let several = try Runs.outcome(.gru, shards: shards, ranks: 1, isDouble: true)
        #expect(relativeError(several.weights.map(Double.init), one.weights.map(Double.init)) < 1e-6)
        let isAnotherOrder = several.state != one.state
        #expect(isAnotherOrder, "the order of the sums follows the shards")
    }

    /// Only a trainer divides batches into shards; a loop of one's own applies the gradients as they are.
    @Test func aLoopOfOnesOwnHasWholeBatches() throws {
        let trainer = try Runs.trainer(.gru, shards: 8, OneRank(), observers: [], isDouble: true)
        let model = trainer.model, backend = model.backend
        let updater = try ParameterUpdater(
            model: model, optimizer: SGD(), manifold: Runs.manifold, skewInitialization: Runs.skew,
            configuration: .init(batchSize: 16, shards: 8))
        backend.fill(model.parameters.allValues, with: 3)
        backend.fill(model.parameters.allGradients, with: 1)
        try updater.update(learningRate: 0.5)
        #expect(Set(backend.download(model.parameters.allValues, as: Double.self)) == [2.5])
    }

    /// An observer that stops a run after some batches, and saves it.
    private final class Stopper: TrainingObserver {
        let after: Int
        let isDue = Atomic<Bool>(false)
        init(after: Int) { self.after = after }
        func didTrainBatch(_ progress: BatchProgress) throws {
            if progress.step >= after { isDue.store(true, ordering: .relaxed) }
        }
    }

    /// One rank is told to stop, and all do; whoever goes on, ends with the bits of a run that never stopped.
    @Test(arguments: [Runs.Case.text, .urnn, .complex], [(1, 8), (2, 4), (8, 2), (4, 1)])
    func aRunGoesOnAtAnyNumberOfRanks(kind: Runs.Case, ranks: (before: Int, after: Int)) throws {
        let folder = try TemporaryDirectory(), path = folder.path + "/state", best = folder.path + "/best"
        func run(_ ranks: Int, resuming: Bool, stopAfter: Int) throws -> [Runs.Outcome] {
            try LocalRanks.run(ranks) { communicator in
                let keeper = Runs.Keeper(path), stopper = Stopper(after: stopAfter)
                let trainer = try Runs.trainer(
                    kind, shards: 8, communicator, observers: [keeper, stopper],
                    shouldStop: { stopper.isDue.load(ordering: .relaxed) })
                if resuming { _ = try trainer.restore(from: path, best: best) }
                let summary = try trainer.run()
                if communicator.rank == 0 { try trainer.model.save(to: best) }
                return Runs.Outcome(
                    weights: trainer.model.snapshot(), state: Data(), losses: keeper.losses, end: "\(summary.end)")
            }
        }
        let whole = try Runs.outcome(kind, ranks: 1)
        let first = try run(ranks.before, resuming: false, stopAfter: 4)
        #expect(first.allSatisfy { $0.end == "interrupted" })
        let second = try run(ranks.after, resuming: true, stopAfter: .max)
        for outcome in second { #expect(outcome.weights == whole.weights && outcome.end == whole.end) }
        #expect(try Runs.tensors(path) == whole.state)
    }

    /// The sequences that are measured are spread over the shards, and start from their own states, wherever they are.
    @Test(arguments: [Runs.Case.text, .urnn, .complex]) func gradientsAreTrackedAlike(kind: Runs.Case) throws {
        /// An observer that keeps what is measured.
        final class Measured: TrainingObserver {
            var values: [[String: Double]] = []
            func didMeasure(_ values: [String: Double], step: Int) throws { self.values.append(values) }
        }
        /// An observer that can be given its tracker after the model is there.
        final class Tracking: TrainingObserver {
            var tracker: GradientTracker?
            func didTrainBatch(_ progress: BatchProgress) throws { try tracker?.didTrainBatch(progress) }
        }
        func measured(_ ranks: Int) throws -> [[String: Double]] {
            try LocalRanks.run(ranks) { communicator in
                let measured = Measured(), tracking = Tracking()
                let trainer = try Runs.trainer(
                    kind, shards: 8, communicator, observers: [tracking], onAllRanks: true)
                tracking.tracker = GradientTracker(
                    every: 2, model: trainer.model, dataset: trainer.dataset, batchSize: 16, shards: 8,
                    communicator: communicator, observers: [measured])
                _ = try trainer.run()
                return measured.values
            }[0]
        }
        let one = try measured(1)
        #expect(one.count == (kind.isText ? 5 : 7) && one.allSatisfy { $0["frobeniusNorm"]!.isFinite })
        for ranks in [2, 8] {
            let isSame = try measured(ranks) == one
            #expect(isSame, "\(ranks) ranks")
        }
    }

    /// A rank whose data has fewer batches to evaluate is an error of a rank that notices it, not a crash.
    @Test(arguments: [Runs.Case.text, .gru]) func ranksThatEvaluateOtherBatchesFail(kind: Runs.Case) throws {
        /// A data set without its last batch of validation.
        struct Shortened: Dataset {
            let whole: any Dataset
            var name: String { whole.name }
            var description: DatasetDescription { whole.description }
            func batchCount(_ split: Split, batchSize: Int) -> Int {
                whole.batchCount(split, batchSize: batchSize) - (split == .valid ? 1 : 0)
            }
            func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) throws -> Batch {
                try whole.batch(split, epoch: epoch, index: index, batchSize: batchSize)
            }
        }
        let errors = try LocalRanks.run(2) { communicator -> String in
            let whole = try Runs.trainer(kind, shards: 2, communicator, observers: [])
            guard communicator.rank == 1 else {
                do { return "\(try whole.evaluate(.valid).count)" } catch { return "\(error)" }
            }
            let trainer = try Trainer(
                model: whole.model, dataset: Shortened(whole: whole.dataset), updater: whole.updater)
            do { return "\(try trainer.evaluate(.valid).count)" } catch { return "\(error)" }
        }
        #expect(errors.contains { $0.contains("has evaluated other batches than rank") }, "\(errors)")
    }

    /// A run without hope ends everywhere at the same step.
    @Test func allRanksDivergeTogether() throws {
        let errors = try LocalRanks.run(4) { communicator -> String in
            let (configuration, training) = Runs.Case.ugru.configuration(4), data = try Runs.Case.ugru.dataset()
            let model = try SequenceModel(
                cell: Runs.Case.ugru.cell, configuration: configuration, data: data.description,
                on: try CPUBackend(threads: 1))
            var settings = training
            settings.learningRate = 1e38
            let updater = try ParameterUpdater(
                model: model, optimizer: SGD(), manifold: Runs.manifold, skewInitialization: Runs.skew,
                configuration: settings, communicator: communicator)
            do {
                _ = try Trainer(model: model, dataset: data, updater: updater).run()
                return "trained"
            } catch { return "\(error)" }
        }
        #expect(errors[0].contains("step") && Set(errors).count == 1, "\(errors)")
    }

    /// What is sent is what the model of the communication says, and the optimizer's state is divided.
    @Test(arguments: [Runs.Case.text, .gru, .urnn], [2, 8]) func everyStepSendsWhatTheModelSays(
        kind: Runs.Case, ranks: Int
    ) throws {
        /// An observer that counts what is sent from batch to batch.
        final class Counter: TrainingObserver {
            let communicator: any Communicator
            private var last: Int?
            var counts: Set<Int> = []
            init(_ communicator: any Communicator) { self.communicator = communicator }
            func didTrainBatch(_ progress: BatchProgress) throws {
                // Between epochs the ranks share the losses of evaluation as well, and checkpoints come in between.
                if let last, progress.batch > 1, (progress.step - 1) % 3 != 0 {
                    counts.insert(communicator.bytesSent - last)
                }
                last = communicator.bytesSent
            }
        }
        let found = try LocalRanks.run(ranks) { communicator in
            let counter = Counter(communicator)
            let trainer = try Runs.trainer(kind, shards: 8, communicator, observers: [counter])
            _ = try trainer.run()
            return (
                sent: counter.counts, model: Communication(trainer.updater),
                state: trainer.updater.stateCount, parameters: trainer.model.parameters.count
            )
        }
        #expect(found[0].sent == [found[0].model.bytes])
        #expect(found[0].model.messages == (kind.isText ? 4 : 3) * (ranks - 1))
        // Adam's two states and B, except for pieces that aren't divided.
        let states = found.map(\.state), all = found[0].parameters
        #expect(states.reduce(0, +) >= 2 * all)
        #expect(states.allSatisfy { $0 <= 2 * (all / ranks + 4096) + 3 * 24 * 24 }, "\(states) of \(all)")
    }
}
