/// The settings of training other than the optimizer and the schedule: learning rates,
/// gradient clipping, batch sizes, and when training ends.
public struct TrainingConfiguration: OptionSection {
    /// The learning rate of all parameters for which no other is set.
    public var learningRate = 1e-3
    /// The learning rate of the skew parameters B; nil for ``learningRate``.
    public var manifoldLearningRate: Double?
    /// The learning rate of recurrent weights that are free; nil for ``learningRate``.
    public var recurrentLearningRate: Double?
    /// The learning rates of parameters by their names, such as "rnn.*=0.001,decoder.*=0.01", in place of all rates above;
    /// the first pattern that fits decides, as with a ``ParameterGroup``. Nil for none.
    public var rate: String?
    /// The names of the parameters that keep their values, such as "encoder.*,rnn.*", as with a ``ParameterGroup``; nil for
    /// none.
    public var freeze: String?
    /// The number of updates over which the rate rises linearly from 0.
    public var warmupSteps = 0
    /// The bound on the Euclidean norm of all gradients together; nil for none.
    public var clipNorm: Double?
    /// The bound on each element of the recurrent weights' gradients; nil for none.
    public var clipRecurrent: Double?
    /// The number of sequences per batch in training.
    public var batchSize = 100
    /// The number of parts, a power of two, into which each batch is cut; their gradients are computed one after another,
    /// or by several processes, and added up. The results depend on it, but not on the number of processes.
    public var shards = 1
    /// The number of sequences per batch in validation and test; nil for ``batchSize``.
    public var evaluationBatchSize: Int?
    /// The largest number of epochs.
    public var epochs = 200
    /// The largest number of training batches in an epoch; nil for all.
    public var batchesPerEpoch: Int?
    /// The number of epochs without a better validation loss after which training ends; nil
    /// for never.
    public var patience: Int?
    /// The validation loss below which training ends; nil for none.
    public var stopLoss: Double?
    /// The interval between two checkpoints, in steps ("500") or minutes ("10m"), besides
    /// those at the end of each epoch; nil for only these.
    public var checkpointEvery: String?

    /// Creates a configuration with the defaults.
    public init() {}
    /// Creates a configuration; each parameter is described at the property of the same name.
    public init(
        epochs: Int = 200, batchSize: Int = 100, shards: Int = 1, evaluationBatchSize: Int? = nil,
        learningRate: Double = 1e-3,
        manifoldLearningRate: Double? = nil, recurrentLearningRate: Double? = nil, rate: String? = nil,
        freeze: String? = nil, warmupSteps: Int = 0,
        clipNorm: Double? = nil,
        clipRecurrent: Double? = nil, batchesPerEpoch: Int? = nil, patience: Int? = nil, stopLoss: Double? = nil,
        checkpointEvery: String? = nil
    ) {
        self.epochs = epochs
        self.batchSize = batchSize
        self.shards = shards
        self.evaluationBatchSize = evaluationBatchSize
        self.learningRate = learningRate
        self.manifoldLearningRate = manifoldLearningRate
        self.recurrentLearningRate = recurrentLearningRate
        self.rate = rate
        self.freeze = freeze
        self.warmupSteps = warmupSteps
        self.clipNorm = clipNorm
        self.clipRecurrent = clipRecurrent
        self.batchesPerEpoch = batchesPerEpoch
        self.patience = patience
        self.stopLoss = stopLoss
        self.checkpointEvery = checkpointEvery
    }

    /// The upper bound of all sizes; products of two sizes are then far from overflowing.
    public static let largestSize = 1 << 24

    public static let fields: [OptionField<Self>] = [
        .number("learningRate", \.learningRate, .above(0), "Learning rate; B may have its own.").resumable,
        .number(
            "manifoldLearningRate", \.manifoldLearningRate, .above(0),
            "Rate of the skew B (default: learning rate)."
        ).needing(.orthogonalWeight).resumable,
        .number(
            "recurrentLearningRate", \.recurrentLearningRate, .above(0),
            "Rate of free recurrent weights (default: equal)."
        ).needing(.freeRecurrentWeight).resumable,
        .text("rate", \.rate, "name=x,…", "Rates of parameters by name, as in 'rnn.*=0.01'.").resumable,
        .text("freeze", \.freeze, "name,…", "Parameters that keep their values: 'encoder.*'."),
        .integer("warmupSteps", \.warmupSteps, 0...(.max), "Steps in which the rate rises from 0."),
        .number("clipNorm", \.clipNorm, .above(0), "Bound on the norm of all gradients together."),
        .number("clipRecurrent", \.clipRecurrent, .above(0), "Bound on each element of recurrent gradients.")
            .needing(.recurrentWeight),
        .integer("batchSize", \.batchSize, 1...largestSize, "Sequences per batch."),
        .integer(
            "shards", \.shards, 1...largestSize, "Parts of a batch, a power of two."),
        .integer(
            "evaluationBatchSize", \.evaluationBatchSize, 1...largestSize,
            "The same in validation and test (default: equal)."),
        .integer("epochs", \.epochs, 1...(.max), "Largest number of epochs.").resumable,
        .integer("batchesPerEpoch", \.batchesPerEpoch, 1...(.max), "Largest number of batches per epoch."),
        .integer(
            "patience", \.patience, 1...(.max), "Stop after so many epochs without improvement."
        ).resumable,
        .number("stopLoss", \.stopLoss, .above(0), "Stop below this validation loss.").resumable,
        .text(
            "checkpointEvery", \.checkpointEvery, "interval",
            "Checkpoints, every 500 (steps) or 10m (minutes)."
        ).resumable,
    ]

    public func validate() throws {
        guard shards & (shards - 1) == 0, batchSize % shards == 0 else {
            let largest = 1 << min(batchSize.trailingZeroBitCount, Int.bitWidth - 2)
            throw RecurrentError.invalidOption(
                "`shards` must be a power of two that divides `batchSize` \(batchSize), at most \(largest), not \(shards)"
            )
        }
        _ = try parameterGroups()
        guard let checkpointEvery, CheckpointInterval(text: checkpointEvery) == nil else { return }
        throw RecurrentError.invalidOption(
            "`checkpointEvery` must be a number of steps (500) or of minutes (10m), not '\(checkpointEvery.excerpt)'")
    }
}

extension CheckpointInterval {
    /// Creates an interval from “500” (steps) or “10m” (minutes); nil if the text is neither,
    /// or the number isn't above 0.
    public init?(text: String) {
        if let steps = Int(text), steps > 0 {
            self = .steps(steps)
        } else if text.hasSuffix("m"), let minutes = Double(text.dropLast()), minutes > 0, minutes.isFinite {
            self = .seconds(60 * minutes)
        } else {
            return nil
        }
    }
}
