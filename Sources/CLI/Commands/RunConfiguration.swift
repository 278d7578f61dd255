import RecurrentCore

/// Every option of a training run, resolved: what `config.json` holds.
public struct RunConfiguration: Codable, Sendable, Equatable {
    /// Of this file's format.
    public var version = 1

    public var cell = "urnn"
    /// Nil: the cell's own.
    public var activation: String?
    /// Of leaky-relu.
    public var slope = 0.5
    public var resetGate = ResetGate.after.rawValue
    public var recurrentInit = RecurrentInitialization.uniform
    public var manifold = "exponential"
    public var manifoldLearningRate: Double?
    public var skewInit = "zero"

    public var dataset = "recall"
    /// N of the toy tasks, T of the delay in copying.
    public var length = 100
    /// M of task I.
    public var symbols = 10
    /// Of task II.
    public var k = 10
    public var trainSize = 10_000
    public var validSize = 1_000
    public var testSize = 1_000
    public var freshData = false
    /// The folder of a corpus, or of images.
    public var data: String?
    /// Of images.
    public var classes = 10
    /// Of the pixels' order; nil, in runs from before there was this option: ``seed``.
    public var permutationSeed: UInt64?
    public var bptt = 35

    public var embeddingSize = 30
    public var hiddenSize = 50
    public var layers = 1
    public var dropout = 0.2
    public var dropoutOn: [ModelConfiguration.DropoutPlace] = [.logits]
    public var lockedDropout = false
    public var embeddingDropout = 0.0
    public var weightDropout = 0.0
    public var zoneout = 0.0
    public var tied = false
    public var tableInit = TableInitialization.torch

    public var optimizer = "adam"
    public var learningRate = 1e-3
    public var recurrentLearningRate: Double?
    public var momentum = 0.0
    public var nesterov = false
    /// Nil: the optimizer's own.
    public var weightDecay: Double?
    public var clipNorm: Double?
    public var schedule = "constant"
    public var scheduleEpochs = 1
    public var schedulePatience = 0
    public var scheduleFactor = 0.25
    public var minimumLearningRate = 0.0
    public var warmupSteps = 0
    public var clipRecurrent: Double?
    public var batchSize = 100
    public var evaluationBatchSize: Int?
    public var epochs = 200
    public var batchesPerEpoch: Int?
    public var patience: Int?
    public var stopLoss: Double?
    /// Steps ("500") or minutes ("10m") between checkpoints.
    public var checkpointEvery: String?
    /// Whether event files for TensorBoard are written.
    public var tensorboard = false
    /// Batches between two measurements of gradient norms; nil for none.
    public var trackGradients: Int?
    /// Epochs in which gradient norms are measured after every batch; nil for none.
    public var trackEpochs: [Int]?
    /// Whether the test split is evaluated after each epoch, too.
    public var trackTest = false

    public var backend = "cpu"
    public var threads: Int?
    /// The GPU's number.
    public var device = 0
    public var precision = ProductPrecision.fp32
    public var seed: UInt64 = 1
    /// The folder of the run whose weights this one started from.
    public var from: String?

    public init() {}

    public var model: ModelConfiguration {
        ModelConfiguration(
            embeddingSize: embeddingSize, hiddenSize: hiddenSize, layers: layers, dropout: dropout,
            dropoutPlaces: Set(dropoutOn), locksDropout: lockedDropout, embeddingDropout: embeddingDropout,
            weightDropout: weightDropout, zoneout: zoneout, tiesEmbedding: tied, recurrentInitialization: recurrentInit,
            tableInitialization: tableInit)
    }

    public var training: Trainer.Settings {
        Trainer.Settings(
            epochs: epochs, batchSize: batchSize, evaluationBatchSize: evaluationBatchSize, learningRate: learningRate,
            patience: patience, stopLoss: stopLoss, batchesPerEpoch: batchesPerEpoch,
            tracksTest: trackTest, checkpointInterval: checkpointEvery.flatMap(CheckpointInterval.init(text:)), schedule: learningRateSchedule)
    }

    /// What suits the toy tasks (the paper's Table 8, but the learning rate, which
    /// there takes ten times the epochs).
    public mutating func useToyDefaults() { stopLoss = 0.005 }

    /// What suits the field's other tests of memory: no dropout (but if asked for, on
    /// the outputs, as numbers have no logits), and new sequences each epoch.
    public mutating func useMemoryDefaults() {
        useDigitDefaults()
        freshData = true
    }

    /// The same for images, which are as many as there are.
    ///
    /// - Parameter permutationSeed: one for all runs, as the literature compares models
    ///   on one order of the pixels.
    public mutating func useDigitDefaults(permutationSeed: UInt64? = nil) {
        dropout = 0
        dropoutOn = [.output]
        hiddenSize = 128
        self.permutationSeed = permutationSeed
    }

    /// What suits word-level language modelling (the paper's Table 9).
    public mutating func useCorpusDefaults() {
        embeddingSize = 400
        hiddenSize = 200
        batchSize = 80
        evaluationBatchSize = 10
        learningRate = 1e-4
        dropoutOn = [.embedding, .output]
        tableInit = .languageModel
        clipRecurrent = 0.25
        epochs = 10
    }

    /// What suits language modelling by characters: sizes, T and B of Kerg et al. 2019
    /// (nnRNN), with their tenth of the learning rate for `B`; gradients clipped to
    /// norm 1 as by Krueger et al. 2017 (zoneout). From W = I states that carry over
    /// add up to losses far above chance; from rotations they don't.
    public mutating func useCharacterDefaults() {
        embeddingSize = 200
        hiddenSize = 1024
        bptt = 150
        batchSize = 128
        evaluationBatchSize = 10
        manifoldLearningRate = 1e-4
        skewInit = "henaff"
        dropout = 0
        dropoutOn = [.embedding, .output]
        tableInit = .languageModel
        clipNorm = 1
        epochs = 20
    }
}

extension CheckpointInterval {
    /// "500" or "10m"; nil for anything else, or nothing above 0.
    init?(text: String) {
        if let steps = Int(text), steps > 0 {
            self = .steps(steps)
        } else if text.hasSuffix("m"), let minutes = Double(text.dropLast()), minutes > 0, minutes.isFinite {
            self = .seconds(60 * minutes)
        } else {
            return nil
        }
    }
}
