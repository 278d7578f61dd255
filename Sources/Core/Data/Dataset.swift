/// Which part of a data set.
public enum Split: String, Sendable, CaseIterable, Codable {
    case train, valid, test
}

/// A source of batches.
///
/// The same split, epoch and seed give the same batches, always.
public protocol Dataset: Sendable {
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
                + (most > 0 ? "choose `\(option)` \(most)\(most > 1 ? " or less" : ""), or a larger data set" : "choose a larger data set"))
    }
}

/// Inputs and targets of a data set, as a model sees them.
public struct DatasetDescription: Sendable, Equatable {
    public enum Inputs: Sendable, Equatable {
        /// Token ids below `vocabulary`.
        case tokens(vocabulary: Int)
        /// Real vectors.
        case vectors(width: Int)
    }
    public enum Targets: Sendable, Equatable {
        /// One class per sequence, predicted from the last state.
        case sequenceClass(classes: Int)
        /// One class per position, predicted from every state.
        case positionClass(classes: Int)
        /// One real number per sequence, predicted from the last state; the loss is
        /// the mean squared error.
        case sequenceValue
    }
    public let inputs: Inputs
    public let targets: Targets
    /// Whether batch i + 1 continues the sequences of batch i, so that states
    /// carry over (language modelling).
    public let isContinuous: Bool
    /// The measure to print beside the loss.
    public let metric: Metric
    /// A class whose positions count for the loss but not for the accuracy, as a blank's
    /// that are easy and many; nil: all count.
    public let unratedClass: Int?
    /// What to judge a loss by; nil if there is nothing so simple.
    public let baseline: Baseline?

    /// A loss that takes no learning of the task.
    public struct Baseline: Sendable, Equatable {
        /// Who has it: "a model without memory".
        public let name: String
        public let loss: Double
        public init(_ name: String, loss: Double) {
            self.name = name
            self.loss = loss
        }
    }

    public init(
        inputs: Inputs, targets: Targets, isContinuous: Bool, metric: Metric, unratedClass: Int? = nil, baseline: Baseline? = nil
    ) {
        self.inputs = inputs
        self.targets = targets
        self.isContinuous = isContinuous
        self.metric = metric
        self.unratedClass = unratedClass
        self.baseline = baseline
    }
    /// Classes, or numbers that are predicted.
    public var classes: Int {
        switch targets {
        case .sequenceClass(let n), .positionClass(let n): n
        case .sequenceValue: 1
        }
    }
}

/// Sequences to process at once, time-major: position (t, b) is row `t * batch + b`.
public struct Batch: Sendable {
    public enum Inputs: Sendable {
        /// T·B ids.
        case tokens([Int32])
        /// T·B·width numbers.
        case vectors([Float], width: Int)
    }
    public let steps: Int
    public let batch: Int
    public let inputs: Inputs
    /// B classes or T·B classes, as the description says; negative: no target.
    public let targets: [Int32]
    /// B numbers where those are the targets; else none.
    public let values: [Float]
    /// The sequences' lengths, in 0...T; nil if all are T. No sorting needed.
    public let lengths: [Int]?
    /// Whether the sequences begin here; false if they continue the batch before.
    public let startsSequences: Bool

    public init(
        steps: Int, batch: Int, inputs: Inputs, targets: [Int32], lengths: [Int]? = nil, startsSequences: Bool = true
    ) {
        self.steps = steps
        self.batch = batch
        self.inputs = inputs
        self.targets = targets
        values = []
        self.lengths = lengths
        self.startsSequences = startsSequences
    }

    /// A batch whose targets are real numbers, one per sequence.
    public init(
        steps: Int, batch: Int, inputs: Inputs, values: [Float], lengths: [Int]? = nil, startsSequences: Bool = true
    ) {
        self.steps = steps
        self.batch = batch
        self.inputs = inputs
        targets = []
        self.values = values
        self.lengths = lengths
        self.startsSequences = startsSequences
    }
}
