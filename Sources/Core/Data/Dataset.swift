/// A part of a data set: for training, validation or testing.
public enum Split: String, Sendable, CaseIterable, Codable {
    /// The sequences on which a model is trained.
    case train
    /// The sequences by which the best epoch is chosen and training is stopped early.
    case valid
    /// The sequences on which the best weights are tested.
    case test

    /// All splits.
    public static let all = Set(allCases)
}

/// A source of batches.
///
/// The same split, epoch and seed always give the same batches.
public protocol Dataset: Sendable {
    /// The name by which `--dataset` selects it.
    var name: String { get }
    /// The form of the inputs and targets, from which a model is built.
    var description: DatasetDescription { get }
    /// Returns the number of batches in one epoch of `split`; 0 if it has none of this size.
    func batchCount(_ split: Split, batchSize: Int) -> Int
    /// Returns batch `index` of `epoch`, both counted from 0. Training batches may be
    /// shuffled, keyed by epoch; those of the other splits always come in the same order.
    ///
    /// - Throws: ``RecurrentError`` if the data can't be read or made.
    func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) throws -> Batch
}

/// The form of a data set's inputs and targets, the loss, and what to report beside it.
public struct DatasetDescription: Sendable, Equatable {
    /// The form of the input at a position of a sequence.
    public enum Inputs: Sendable, Equatable {
        /// Token ids below `vocabulary`.
        case tokens(vocabulary: Int)
        /// Vectors of `width` real numbers.
        case vectors(width: Int)
    }
    /// The kind of the targets, and the states from which they are predicted.
    public enum Targets: Sendable, Equatable {
        /// One class per sequence, predicted from the last state.
        case sequenceClass(classes: Int)
        /// One class per position, predicted from every state.
        case positionClass(classes: Int)
        /// One real number per sequence, predicted from the last state.
        case sequenceValue
        /// One real number per position, predicted from every state.
        case positionValue
        /// Several real numbers per sequence, predicted from the last state.
        case sequenceValues(count: Int)
        /// Several real numbers per position, predicted from every state.
        case positionValues(count: Int)

        /// Whether there is a target for each position instead of one for the whole sequence.
        package var isPerPosition: Bool {
            switch self {
            case .positionClass, .positionValue, .positionValues: true
            case .sequenceClass, .sequenceValue, .sequenceValues: false
            }
        }
        /// Whether the targets are real numbers instead of classes.
        package var areValues: Bool {
            switch self {
            case .sequenceValue, .positionValue, .sequenceValues, .positionValues: true
            case .sequenceClass, .positionClass: false
            }
        }
    }
    /// The form of the input at a position of a sequence.
    public let inputs: Inputs
    /// The kind of the targets, and the states from which they are predicted.
    public let targets: Targets
    /// The loss by which predictions are judged.
    public let loss: any Loss
    /// Whether batch i + 1 continues the sequences of batch i, so that states
    /// carry over, as in language modelling.
    public let isContinuous: Bool
    /// The measure to print beside the loss.
    public let metric: Metric
    /// A class whose positions count for the loss but not for the accuracy, such as an easy
    /// and frequent blank; nil if all classes count.
    public let classExcludedFromAccuracy: Int?
    /// A simple loss to compare with; nil if there is none.
    public let baseline: Baseline?

    /// A loss that can be reached without learning the task.
    public struct Baseline: Sendable, Equatable {
        /// The predictor that reaches the loss, such as "a model without memory".
        public let name: String
        /// The mean loss over all targets that count.
        public let loss: Double
        /// Creates a baseline from the name of a predictor and its mean loss.
        public init(_ name: String, loss: Double) {
            self.name = name
            self.loss = loss
        }
    }

    /// Creates a description from which a model can be built.
    ///
    /// - Parameters:
    ///   - inputs: the form of the input at a position of a sequence.
    ///   - targets: the kind of the targets, and the states from which they are predicted.
    ///   - isContinuous: whether each batch continues the sequences of the one before.
    ///   - metric: the measure to print beside the loss.
    ///   - classExcludedFromAccuracy: a class that doesn't count for the accuracy; nil if all count.
    ///   - baseline: a simple loss to compare with; nil if there is none.
    ///   - loss: the loss of a prediction; nil for the usual loss of these targets, ``Targets/usualLoss``.
    public init(
        inputs: Inputs, targets: Targets, isContinuous: Bool, metric: Metric, classExcludedFromAccuracy: Int? = nil,
        baseline: Baseline? = nil, loss: (any Loss)? = nil
    ) {
        self.inputs = inputs
        self.targets = targets
        self.loss = loss ?? targets.usualLoss
        self.isContinuous = isContinuous
        self.metric = metric
        self.classExcludedFromAccuracy = classExcludedFromAccuracy
        self.baseline = baseline
    }
    /// The number V of classes, or of numbers that are predicted at once.
    public var classes: Int {
        switch targets {
        case .sequenceClass(let n), .positionClass(let n), .sequenceValues(let n), .positionValues(let n): n
        case .sequenceValue, .positionValue: 1
        }
    }

    /// Returns whether two data sets fit the same model and are reported in the same way.
    public static func == (a: Self, b: Self) -> Bool {
        a.inputs == b.inputs && a.targets == b.targets && a.loss.isEqual(to: b.loss) && a.isContinuous == b.isContinuous
            && a.metric == b.metric && a.classExcludedFromAccuracy == b.classExcludedFromAccuracy
            && a.baseline == b.baseline
    }
}

/// A mini-batch of B sequences of T steps, time-major: position (t, b) is row `t * B + b`.
public struct Batch: Sendable {
    /// The inputs at all positions.
    public enum Inputs: Sendable {
        /// The ids of T·B tokens.
        case tokens([Int32])
        /// The T·B vectors of `width` numbers, one after another.
        case vectors([Float], width: Int)
    }
    /// The number T of steps.
    public let steps: Int
    /// The number B of sequences.
    public let size: Int
    /// The inputs at the T·B positions.
    public let inputs: Inputs
    /// The target classes, B or T·B as the description says; a negative one means that there
    /// is no target. Empty where numbers are predicted.
    public let targets: [Int32]
    /// The target numbers, B or T·B as the description says, times ``valueWidth``, row by row; NaN in a position's row
    /// means that there is no target. Empty where classes are predicted.
    public let values: [Float]
    /// The number V of numbers in each target; 1 where classes are predicted.
    public let valueWidth: Int
    /// The sequences' lengths, each in 0...T and in any order; nil if all are T.
    public let lengths: [Int]?
    /// Whether the sequences begin in this batch; false if they continue the one before.
    public let startsSequences: Bool

    /// Creates a batch whose targets are classes, one per sequence or one per position.
    public init(
        steps: Int, size: Int, inputs: Inputs, targets: [Int32], lengths: [Int]? = nil, startsSequences: Bool = true
    ) {
        self.steps = steps
        self.size = size
        self.inputs = inputs
        self.targets = targets
        values = []
        valueWidth = 1
        self.lengths = lengths
        self.startsSequences = startsSequences
    }

    /// Creates a batch whose targets are real numbers, `valueWidth` per sequence or per position.
    public init(
        steps: Int, size: Int, inputs: Inputs, values: [Float], valueWidth: Int = 1, lengths: [Int]? = nil,
        startsSequences: Bool = true
    ) {
        self.steps = steps
        self.size = size
        self.inputs = inputs
        targets = []
        self.values = values
        self.valueWidth = valueWidth
        self.lengths = lengths
        self.startsSequences = startsSequences
    }
}

extension Batch {
    /// Whether each row has a target, B or T·B of them.
    var hasTargets: [Bool] {
        guard !values.isEmpty else { return targets.map { $0 >= 0 } }
        return stride(from: 0, to: values.count, by: valueWidth).map { start in
            !values[start..<start + valueWidth].contains(where: \.isNaN)
        }
    }
}
