import CPUBackend
import Foundation
import GRUCell
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import RecurrentTestSupport
import ReferenceBackend
import Testing
import ToyDatasets
import UGRUCell
import URNNCell
import VanillaRNNCell

/// A run that is divided into shards gives the same bits at any number of ranks.
struct ShardedRunTests {
    /// What two runs must have in common.
    struct Outcome: Equatable, Sendable {
        var weights: [Float]
        var state: Data
        var losses: [LossSums]
        var end: String
    }

    /// Text in which each batch continues the last one; the batches of all ranks are the same.
    struct Text: Dataset {
        let name = "text"
        let description = DatasetDescription(
            inputs: .tokens(vocabulary: 300), targets: .positionClass(classes: 300), isContinuous: true,
            metric: .perplexity)
        func batchCount(_ split: Split, batchSize: Int) -> Int { split == .train ? 5 : 3 }
        func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
            let tokens = (0...6).map { t in
                (0..<batchSize).map { b in Int32((b * 17 + (index * 6 + t) * (b + 3) * (split == .train ? 1 : 5)) % 300)
                }
            }
            return Batch(
                steps: 6, size: batchSize, inputs: .tokens(Array(tokens[..<6].joined())),
                targets: Array(tokens[1...].joined()), startsSequences: index == 0)
        }
    }

    /// A setting in which everything takes part.
    enum Case: CaseIterable, Hashable {
        case urnn, rnn, gru, ugru, text, unitary, complex

        /// Whether the data is text, in which states carry over.
        var isText: Bool { self == .text || self == .complex }

        func configuration(_ shards: Int) -> (ModelConfiguration, TrainingConfiguration) {
            var model = ModelConfiguration(embeddingSize: 24, hiddenSize: 24, layers: 2)
            var training = TrainingConfiguration(epochs: 2, batchSize: 16, shards: shards, learningRate: 0.01)
            if isText {
                model.tiesEmbedding = true
                if self == .complex { model.embeddingSize = 48 }
                model.dropout = 0.2
                model.dropoutPlaces = [.embedding, .output, .logits]
                model.embeddingDropout = 0.1
                model.weightDropout = 0.2
                model.zoneout = 0.1
                model.locksDropout = true
                training.clipNorm = 0.1
                training.clipRecurrent = 0.05
                training.recurrentLearningRate = 0.005
            } else {
                training.batchesPerEpoch = 7
                training.evaluationBatchSize = 32
                training.clipNorm = self == .ugru ? 0.5 : nil
            }
            training.checkpointEvery = "3"
            return (model, training)
        }

        var cell: any RecurrentCell {
            switch self {
            case .urnn: URNN(activation: AbsoluteValue())
            case .rnn: VanillaRNN(activation: Tanh())
            case .gru: GRU()
            case .unitary: UnitaryCell()
            case .ugru, .text: UGRU()
            case .complex: ComplexCell()
            }
        }

        func dataset() throws -> any Dataset {
            switch self {
            case .text, .complex: Text()
            // The last batch of an epoch is smaller, and can't be cut into equal shards.
            default: try RecallDataset(length: 6, sizes: SplitSizes(train: 16 * 6 + 5, valid: 100, test: 40), seed: 3)
            }
        }
    }

    static let manifold = ExactExponentialUpdate(), skew = HenaffSkew()

    /// An observer that keeps the last state, without the time that it took.
    final class Keeper: TrainingObserver {
        let path: String
        var losses: [LossSums] = []
        init(_ path: String) { self.path = path }
        func didReachCheckpoint(_ checkpoint: TrainingCheckpoint) throws { try checkpoint.save(to: path) }
        func didTrainBatch(_ progress: BatchProgress) throws { losses.append(progress.batchSums) }
        func didFinishEpoch(_ record: EpochRecord) throws { losses += [record.train, record.validation] }
        func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws {
            losses += [summary.test].compactMap { $0 }
        }
    }

    static func trainer(
        _ kind: Case, shards: Int, _ communicator: any Communicator, observers: [any TrainingObserver],
        groups: [ParameterGroup] = [], onAllRanks: Bool = false, isDouble: Bool = false,
        shouldStop: @escaping () -> Bool = { false }
    ) throws -> Trainer {
        let (configuration, training) = kind.configuration(shards)
        let data = try kind.dataset()
        let backend: any Backend = isDouble ? ReferenceBackend() : try CPUBackend(threads: 1)
        let model = try SequenceModel(
            cell: kind.cell, configuration: configuration, data: data.description, on: backend, seed: 5)
        let updater = try ParameterUpdater(
            model: model, optimizer: kind == .text ? AdamW(weightDecay: 0.1) : Adam(),
            manifold: kind == .text ? ExponentialUpdate() : manifold,
            skewInitialization: skew, configuration: training, groups: groups, communicator: communicator)
        return try Trainer(
            model: model, dataset: data, updater: updater,
            observers: onAllRanks || communicator.rank == 0 ? observers : [],
            shouldStop: shouldStop)
    }

    /// Trains on some ranks and returns what rank 0 has in the end.
    static func outcome(
        _ kind: Case, shards: Int = 8, ranks: Int, groups: [ParameterGroup] = [], isDouble: Bool = false
    ) throws -> Outcome {
        let folder = try TemporaryDirectory(), path = folder.path + "/state"
        let outcomes = try LocalRanks.run(ranks) { communicator in
            let keeper = Keeper(path)
            let trainer = try trainer(
                kind, shards: shards, communicator, observers: [keeper], groups: groups, isDouble: isDouble)
            let summary = try trainer.run()
            return Outcome(
                weights: trainer.model.snapshot(), state: Data(), losses: keeper.losses, end: "\(summary.end)")
        }
        // Replicas can't drift.
        for outcome in outcomes { #expect(outcome.weights == outcomes[0].weights) }
        var result = outcomes[0]
        result.state = try tensors(path)
        return result
    }

    /// Returns the bytes of a state's tensors, which follow its metadata with times.
    static func tensors(_ path: String) throws -> Data {
        let file = try SafeTensors(path: path)
        return try file.tensors.reduce(into: Data()) { $0 += Data($1.name.utf8) + Data(try file.bytes($1.name)) }
    }

    @Test(arguments: Case.allCases) func anyNumberOfRanksGivesTheSameBits(kind: Case) throws {
        let one = try Self.outcome(kind, ranks: 1)
        #expect(one.losses.allSatisfy { $0.totalLoss.isFinite && $0.count > 0 } && !one.state.isEmpty)
        for ranks in [2, 4, 8] { #expect(try Self.outcome(kind, ranks: ranks) == one, "\(ranks) ranks") }
    }

    @Test(arguments: [Case.ugru, .text]) func soItDoesInDouble(kind: Case) throws {
        let one = try Self.outcome(kind, ranks: 1, isDouble: true)
        #expect(try Self.outcome(kind, ranks: 4, isDouble: true) == one)
    }
}
