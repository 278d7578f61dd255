import CPUBackend
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import Testing
import ToyDatasets
import URNNCell

struct GradientTrackerTests {
    final class Log: TrainingObserver {
        var measured: [(step: Int, values: [String: Double])] = []
        func didMeasure(_ values: [String: Double], step: Int) throws { measured.append((step, values)) }
    }

    /// A continuous data set, with states that are carried over from batch to batch.
    struct Stream: Dataset {
        var name: String { "stream" }
        var description: DatasetDescription {
            DatasetDescription(
                inputs: .tokens(vocabulary: 7), targets: .positionClass(classes: 7), isContinuous: true,
                metric: .perplexity)
        }
        func batchCount(_ split: Split, batchSize: Int) -> Int { 6 }
        func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) throws -> Batch {
            var random = RandomStream(RandomKey(seed: 9, purpose: .test, stream: index, step: 0))
            let tokens = (0..<4 * batchSize).map { _ in Int32(abs(random.normal()) * 3) % 7 }
            return Batch(
                steps: 4, size: batchSize, inputs: .tokens(tokens), targets: tokens.map { ($0 + 1) % 7 },
                startsSequences: index == 0)
        }
    }

    static func train(every interval: Int?, epochs: Set<Int> = []) throws -> (weights: [Float], log: Log) {
        let model = try SequenceModel(
            cell: URNN(), configuration: ModelConfiguration(embeddingSize: 5, hiddenSize: 8),
            data: Stream().description,
            on: CPUBackend(threads: 1))
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: HenaffSkew(),
            configuration: .init(epochs: 2, batchSize: 3))
        let log = Log()
        let isTracked = interval != nil || !epochs.isEmpty
        let tracker =
            isTracked
            ? GradientTracker(
                every: interval, epochs: epochs, model: model, dataset: Stream(), batchSize: 3, observers: [log]) : nil
        _ = try Trainer(
            model: model, dataset: Stream(), updater: updater, observers: tracker.map { [$0] } ?? []
        ).run()
        return (model.snapshot(), log)
    }

    @Test func changesNothingInTheRun() throws {
        let (plain, _) = try Self.train(every: nil)
        let (tracked, log) = try Self.train(every: 2)
        #expect(plain == tracked)
        #expect(log.measured.map(\.step) == [2, 4, 6, 8, 10, 12])
        for (_, values) in log.measured {
            #expect(values["upperBound"] == Double(8).squareRoot() && values["lowerBound"] == 0 && values["steps"] == 3)
            let mean = try #require(values["frobeniusNorm"])
            #expect(mean > 0 && mean <= 8.0.squareRoot() + 1e-5)
            #expect(values["frobeniusNormMinimum"]! <= mean && mean <= values["frobeniusNormMaximum"]!)
        }
    }

    @Test func measuresEveryBatchOfTheEpochsAskedFor() throws {
        #expect(try Self.train(every: nil, epochs: [2, 9]).log.measured.map(\.step) == [7, 8, 9, 10, 11, 12])
        #expect(try Self.train(every: 4, epochs: [1]).log.measured.map(\.step) == [1, 2, 3, 4, 5, 6, 8, 12])
    }

    /// Sequences of several lengths, of which two in eight are as long as the batch.
    struct Ragged: Dataset {
        var name: String { "ragged" }
        var description: DatasetDescription {
            DatasetDescription(
                inputs: .tokens(vocabulary: 7), targets: .sequenceClass(classes: 7), isContinuous: false,
                metric: .accuracy)
        }
        func batchCount(_ split: Split, batchSize: Int) -> Int { 1 }
        func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) throws -> Batch {
            Batch(
                steps: 4, size: 8, inputs: .tokens((0..<32).map { Int32($0 * $0 % 7) }),
                targets: [0, 1, 2, 3, 4, 5, 6, 0], lengths: [2, 3, 4, 1, 1, 1, 4, 1])
        }
    }

    /// The first shard may have no sequence that is as long as the batch, nor the last.
    @Test(arguments: [1, 4, 8]) func sequencesOfAnyShardAreMeasured(shards: Int) throws {
        let model = try SequenceModel(
            cell: URNN(), configuration: ModelConfiguration(embeddingSize: 5, hiddenSize: 8),
            data: Ragged().description, on: CPUBackend(threads: 1))
        let log = Log(), dataset = Ragged()
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: HenaffSkew(),
            configuration: .init(epochs: 1, batchSize: 8, shards: shards))
        let tracker = GradientTracker(
            every: 1, model: model, dataset: dataset, batchSize: 8, shards: shards, observers: [log])
        _ = try Trainer(model: model, dataset: dataset, updater: updater, observers: [tracker]).run()
        let norms = try GradientFlow(model).measure(
            dataset.batch(.train, epoch: 0, index: 0, batchSize: 8), operatorNorms: .lastStep
        ).last
        let values = try #require(log.measured.first?.values)
        #expect(norms.frobenius.values.count == 2 && norms.frobenius.minimum < norms.frobenius.maximum)
        for (name, expected) in [
            ("frobeniusNormMinimum", norms.frobenius.minimum), ("frobeniusNormMaximum", norms.frobenius.maximum),
            ("operatorNorm", norms.operatorNorm!.mean),
        ] {
            #expect(abs(values[name]! - expected) < 1e-5 * expected, "\(name)")
        }
    }
}
