/// Which part of a data set.
public enum Split: String, Sendable, CaseIterable, Codable {
    case train, valid, test
}

/// A source of batches.
///
/// The same split, epoch and seed give the same batches, always.
public protocol Dataset: Sendable {
    /// What `--dataset` calls it.
    var name: String { get }
    /// What a model needs to fit it.
    var description: DatasetDescription { get }
    /// How many batches one epoch of `split` has.
    func batchCount(_ split: Split, batchSize: Int) -> Int
    /// Batch `index` of `epoch` (counted from 0). Training batches may be
    /// shuffled, keyed by epoch; the others always come in the same order.
    func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) throws -> Batch
}

extension Dataset {
    /// - Parameter option: what chooses the size.
    /// - Throws: ``RecurrentError/dataset(_:)`` if `split` has no batch of this size,
    ///   with the largest that it has.
    func checkBatch(_ split: Split, batchSize: Int, option: String) throws {
        guard batchCount(split, batchSize: batchSize) == 0 else { return }
        // Between one that it has, or 0, and one that it hasn't.
        var (most, tooMany) = (0, batchSize)
        while tooMany - most > 1 {
            let middle = most + (tooMany - most) / 2
            if batchCount(split, batchSize: middle) > 0 { most = middle } else { tooMany = middle }
        }
        throw RecurrentError.dataset(
            "\(name): its \(split.rawValue) split is too small for a batch of \(batchSize); "
                + (most > 0
                    ? "choose `\(option)` \(most)\(most > 1 ? " or less" : ""), or a larger data set"
                    : "choose a larger data set"))
    }
}

/// Inputs and targets of a data set, as a model sees them.
public struct DatasetDescription: Sendable, Equatable {
    /// What a position of a sequence holds.
    public enum Inputs: Sendable, Equatable {
        /// Token ids below `vocabulary`.
        case tokens(vocabulary: Int)
        /// Real vectors.
        case vectors(width: Int)
    }
    /// What is predicted, and from which states.
    public enum Targets: Sendable, Equatable {
        /// One class per sequence, predicted from the last state.
        case sequenceClass(classes: Int)
        /// One class per position, predicted from every state.
        case positionClass(classes: Int)
        /// One real number per sequence, predicted from the last state.
        case sequenceValue
        /// One real number per position, predicted from every state.
        case positionValue

        /// Whether every position has a target, and not the sequence as a whole.
        var isPerPosition: Bool {
            switch self {
            case .positionClass, .positionValue: true
            case .sequenceClass, .sequenceValue: false
            }
        }
        /// Whether the targets are real numbers, and not classes.
        var areValues: Bool {
            switch self {
            case .sequenceValue, .positionValue: true
            case .sequenceClass, .positionClass: false
            }
        }
    }
    /// What a position of a sequence holds.
    public let inputs: Inputs
    /// What is predicted, and from which states.
    public let targets: Targets
    /// What predictions are judged by.
    public let loss: any Loss
    /// Whether batch i + 1 continues the sequences of batch i, so that states
    /// carry over (language modelling).
    public let isContinuous: Bool
    /// The measure to print beside the loss.
    public let metric: Metric
    /// A class whose positions count for the loss but not for the accuracy, as a blank's
    /// that are easy and many; nil: all count.
    public let classExcludedFromAccuracy: Int?
    /// What to judge a loss by; nil if there is nothing so simple.
    public let baseline: Baseline?

    /// A loss that takes no learning of the task.
    public struct Baseline: Sendable, Equatable {
        /// Who has it: "a model without memory".
        public let name: String
        /// The mean over all that count.
        public let loss: Double
        /// A loss and who has it.
        public init(_ name: String, loss: Double) {
            self.name = name
            self.loss = loss
        }
    }

    /// - Parameters:
    ///   - inputs: what a position of a sequence holds.
    ///   - targets: what is predicted.
    ///   - isContinuous: whether each batch continues the one before.
    ///   - metric: the measure to print beside the loss.
    ///   - classExcludedFromAccuracy: one that doesn't count for the accuracy.
    ///   - baseline: what to judge a loss by.
    ///   - loss: of a prediction; nil for what is usual for such targets, ``Targets/usualLoss``.
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
    /// V: how many classes there are, or 1 where a number is predicted.
    public var classes: Int {
        switch targets {
        case .sequenceClass(let n), .positionClass(let n): n
        case .sequenceValue, .positionValue: 1
        }
    }

    /// Whether two data sets fit the same model, and are told of in the same way.
    public static func == (a: Self, b: Self) -> Bool {
        a.inputs == b.inputs && a.targets == b.targets && a.loss.isEqual(to: b.loss) && a.isContinuous == b.isContinuous
            && a.metric == b.metric && a.classExcludedFromAccuracy == b.classExcludedFromAccuracy
            && a.baseline == b.baseline
    }
}

/// Sequences to process at once, time-major: position (t, b) is row `t * batch + b`.
public struct Batch: Sendable {
    /// What the positions hold.
    public enum Inputs: Sendable {
        /// T·B ids.
        case tokens([Int32])
        /// T·B·width numbers.
        case vectors([Float], width: Int)
    }
    /// T.
    public let steps: Int
    /// B.
    /// B, how many sequences there are.
    public let size: Int
    /// Of T·B positions.
    public let inputs: Inputs
    /// B classes or T·B classes, as the description says; negative: no target.
    public let targets: [Int32]
    /// B numbers or T·B numbers where those are the targets; else none. Of a position,
    /// NaN is no target.
    public let values: [Float]
    /// The sequences' lengths, in 0...T; nil if all are T. No sorting needed.
    public let lengths: [Int]?
    /// Whether the sequences begin here; false if they continue the batch before.
    public let startsSequences: Bool

    /// A batch whose targets are classes, one per sequence or one per position.
    public init(
        steps: Int, size: Int, inputs: Inputs, targets: [Int32], lengths: [Int]? = nil, startsSequences: Bool = true
    ) {
        self.steps = steps
        self.size = size
        self.inputs = inputs
        self.targets = targets
        values = []
        self.lengths = lengths
        self.startsSequences = startsSequences
    }

    /// A batch whose targets are real numbers, one per sequence or one per position.
    public init(
        steps: Int, size: Int, inputs: Inputs, values: [Float], lengths: [Int]? = nil, startsSequences: Bool = true
    ) {
        self.steps = steps
        self.size = size
        self.inputs = inputs
        targets = []
        self.values = values
        self.lengths = lengths
        self.startsSequences = startsSequences
    }
}
