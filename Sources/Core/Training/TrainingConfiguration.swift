/// How a model is trained, besides the optimizer and the schedule: rates, clipping,
/// batches, and when training ends.
public struct TrainingConfiguration: OptionSection {
    /// The learning rate of all parameters that have none of their own.
    public var learningRate = 1e-3
    /// The learning rate of the skew parameters B; nil for ``learningRate``.
    public var manifoldLearningRate: Double?
    /// The learning rate of recurrent weights that are free; nil for ``learningRate``.
    public var recurrentLearningRate: Double?
    /// Updates over which the rate rises from 0.
    public var warmupSteps = 0
    /// The bound of the Euclidean norm of all gradients together; nil for none.
    public var clipNorm: Double?
    /// The bound of each element of the recurrent weights' gradients; nil for none.
    public var clipRecurrent: Double?
    /// Sequences per batch.
    public var batchSize = 100
    /// Sequences per batch in validation and test; nil for ``batchSize``.
    public var evaluationBatchSize: Int?
    /// The largest number of epochs.
    public var epochs = 200
    /// The largest number of training batches in an epoch; nil for all.
    public var batchesPerEpoch: Int?
    /// How many epochs may pass without a better validation loss; nil for any number.
    public var patience: Int?
    /// The validation loss below which training ends; nil for none.
    public var stopLoss: Double?
    /// Steps ("500") or minutes ("10m") between two checkpoints; nil for each epoch's end.
    public var checkpointEvery: String?

    public init() {}
    /// The defaults but for what is given; each is described at its property.
    public init(
        epochs: Int = 200, batchSize: Int = 100, evaluationBatchSize: Int? = nil, learningRate: Double = 1e-3,
        manifoldLearningRate: Double? = nil, recurrentLearningRate: Double? = nil, warmupSteps: Int = 0,
        clipNorm: Double? = nil,
        clipRecurrent: Double? = nil, batchesPerEpoch: Int? = nil, patience: Int? = nil, stopLoss: Double? = nil,
        checkpointEvery: String? = nil
    ) {
        self.epochs = epochs
        self.batchSize = batchSize
        self.evaluationBatchSize = evaluationBatchSize
        self.learningRate = learningRate
        self.manifoldLearningRate = manifoldLearningRate
        self.recurrentLearningRate = recurrentLearningRate
        self.warmupSteps = warmupSteps
        self.clipNorm = clipNorm
        self.clipRecurrent = clipRecurrent
        self.batchesPerEpoch = batchesPerEpoch
        self.patience = patience
        self.stopLoss = stopLoss
        self.checkpointEvery = checkpointEvery
    }

    /// Products of two sizes up to this stay far from overflowing.
    public static let largestSize = 1 << 24

    public static let fields: [OptionField<Self>] = [
        .number("learningRate", \.learningRate, .above(0), "Learning rate.").resumable,
        .number(
            "manifoldLearningRate", \.manifoldLearningRate, .above(0), "Rate of the skew B; none for the learning rate."
        ).needing(.orthogonalWeight),
        .number(
            "recurrentLearningRate", \.recurrentLearningRate, .above(0),
            "Rate of free recurrent weights; none for the same."
        ).needing(.freeRecurrentWeight),
        .integer("warmupSteps", \.warmupSteps, 0...(.max), "Steps in which the rate rises from 0."),
        .number("clipNorm", \.clipNorm, .above(0), "Bound of the norm of all gradients."),
        .number("clipRecurrent", \.clipRecurrent, .above(0), "Bound of each recurrent gradient."),
        .integer("batchSize", \.batchSize, 1...largestSize, "Sequences per batch."),
        .integer(
            "evaluationBatchSize", \.evaluationBatchSize, 1...largestSize, "In validation and test; none for the same."),
        .integer("epochs", \.epochs, 1...(.max), "Largest number of epochs.").resumable,
        .integer("batchesPerEpoch", \.batchesPerEpoch, 1...(.max), "Largest number of batches per epoch."),
        .integer("patience", \.patience, 1...(.max), "Epochs without a better validation loss.").resumable,
        .number("stopLoss", \.stopLoss, .above(0), "Validation loss that is enough.").resumable,
        .text("checkpointEvery", \.checkpointEvery, "interval", "Checkpoints, in steps (500) or minutes (10m).")
            .resumable,
    ]

    public func validate() throws {
        guard let checkpointEvery, CheckpointInterval(text: checkpointEvery) == nil else { return }
        throw RecurrentError.invalidOption(
            "`checkpointEvery` must be a number of steps (500) or of minutes (10m), not '\(checkpointEvery)'")
    }
}

extension CheckpointInterval {
    /// An interval from “500” (steps) or “10m” (minutes); nil for anything else, or
    /// nothing above 0.
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
