import CUDABackend
import RecurrentCore
import RecurrentTestSupport
import Testing

/// Ranks whose numbers lie on a device, and are sent through the host's memory.
struct RankTests {
    @Test func ranksOnTheEmulatedDeviceGiveTheSameBits() throws {
        let one = try DeviceChecks.trainOnRanks(1) { CUDABackend(driver: EmulatedDevice()) }
        #expect(one.allSatisfy { $0.isFinite } && Set(one).count > 100)
        let two = try DeviceChecks.trainOnRanks(2) { CUDABackend(driver: EmulatedDevice()) }
        let isSame = two == one
        #expect(isSame)
    }
}

extension DeviceChecks {
    /// Text in which each batch continues the last one.
    private struct Text: Dataset {
        let name = "text"
        let description = DatasetDescription(
            inputs: .tokens(vocabulary: 29), targets: .positionClass(classes: 29), isContinuous: true,
            metric: .perplexity)
        func batchCount(_ split: Split, batchSize: Int) -> Int { 2 }
        func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
            let tokens = (0..<6 * batchSize).map { Int32(($0 * $0 + 7 * index) % 29) }
            return Batch(
                steps: 5, size: batchSize, inputs: .tokens(Array(tokens.dropLast(batchSize))),
                targets: Array(tokens.dropFirst(batchSize)), startsSequences: index == 0)
        }
    }

    /// Trains a uGRU in 4 shards on some ranks, and returns its parameters and the optimizer's state.
    static func trainOnRanks(_ ranks: Int, on makeBackend: @escaping @Sendable () throws -> any Backend) throws
        -> [Float]
    {
        try LocalRanks.run(ranks) { communicator in
            let data = Text(), backend = try makeBackend()
            let model = try SequenceModel(
                cell: cells["ugru tanh after"]!(),
                configuration: ModelConfiguration(
                    embeddingSize: 5, hiddenSize: 6, layers: 2, dropout: 0.25, dropoutPlaces: [.output]),
                data: data.description, on: backend, seed: 3)
            let updater = try ParameterUpdater(
                model: model, optimizer: optimizer, manifold: manifolds[0], skewInitialization: skew,
                configuration: .init(epochs: 2, batchSize: 8, shards: 4, learningRate: 0.01, clipNorm: 0.1),
                communicator: communicator)
            _ = try Trainer(model: model, dataset: data, updater: updater).run()
            return model.snapshot()
        }[0]
    }
}
