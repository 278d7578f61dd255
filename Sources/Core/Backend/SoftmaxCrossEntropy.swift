/// Softmax cross-entropy over a linear projection, with its gradients: logits
/// are made and consumed a chunk of rows at a time.
///
/// Dimensions: R rows, H width, V classes. A row whose target is negative
/// counts for nothing.
public protocol SoftmaxCrossEntropy: AnyObject {
    /// - Parameters:
    ///   - inputs: [R, H].
    ///   - weight: [V, H].
    ///   - bias: [1, V].
    ///   - targets: R classes.
    ///   - dropout: inverted dropout of the logits (the paper's place for it),
    ///     element (r, v) drawn at index `r * V + v`; nil for none.
    ///   - gradients: where gradients go, scaled by `1 / count of targets`; nil to evaluate only.
    func callAsFunction(
        inputs: MatrixView, weight: MatrixView, bias: MatrixView, targets: [Int32],
        dropout: (rate: Double, key: RandomKey)?, gradients: ProjectionGradients?
    ) throws -> LossSums

    /// The same, but it need not wait for the device. By default the sums are there at once.
    func start(
        inputs: MatrixView, weight: MatrixView, bias: MatrixView, targets: [Int32],
        dropout: (rate: Double, key: RandomKey)?, gradients: ProjectionGradients?
    ) throws -> PendingLoss
}

extension SoftmaxCrossEntropy {
    public func start(
        inputs: MatrixView, weight: MatrixView, bias: MatrixView, targets: [Int32],
        dropout: (rate: Double, key: RandomKey)?, gradients: ProjectionGradients?
    ) throws -> PendingLoss {
        PendingLoss(
            try self(
                inputs: inputs, weight: weight, bias: bias, targets: targets, dropout: dropout, gradients: gradients))
    }
}

/// The loss of a batch that the device may still be working on.
public struct PendingLoss {
    /// [1, 1] on the backend: the largest loss of a row, infinite or no number if that
    /// of the batch is; it holds until the next batch is started. Nil if the sums were
    /// known at once.
    public let largest: MatrixView?
    private let finish: () throws -> LossSums

    /// Sums that are known.
    public init(_ sums: LossSums) {
        largest = nil
        finish = { sums }
    }

    /// Sums that come later.
    ///
    /// - Parameters:
    ///   - largest: the largest loss of a row, [1, 1]; nil if nothing is to be trained by it.
    ///   - finish: waits for the sums; called once at most, perhaps when other batches have
    ///     been started since.
    public init(largest: MatrixView?, finish: @escaping () throws -> LossSums) {
        self.largest = largest
        self.finish = finish
    }

    /// The sums; waits until the device has them.
    /// - Throws: ``RecurrentError/backend(_:)`` for what failed on the device since.
    public func sums() throws -> LossSums { try finish() }
}

/// Where the gradients of a projection go.
public struct ProjectionGradients: Sendable {
    /// [R, H], overwritten.
    public let inputs: MatrixView
    /// [V, H], added to.
    public let weight: MatrixView
    /// [1, V], added to.
    public let bias: MatrixView
    public init(inputs: MatrixView, weight: MatrixView, bias: MatrixView) {
        self.inputs = inputs
        self.weight = weight
        self.bias = bias
    }
}

/// Sums over the rows that have a target.
public struct LossSums: Sendable, Equatable, Codable {
    /// Cross-entropy in nats.
    public var loss: Double
    /// Rated rows whose first largest logit is the target.
    public var correct: Int
    public var count: Int
    /// Those of them that count for the accuracy.
    public var rated: Int

    /// Sums that are known; without `rated` all rows count for the accuracy.
    public init(loss: Double = 0, correct: Int = 0, count: Int = 0, rated: Int? = nil) {
        self.loss = loss
        self.correct = correct
        self.count = count
        self.rated = rated ?? count
    }

    /// Of nothing yet, over the rows of these targets.
    public init(over targets: [Int32], unrated: Int?) {
        let count = targets.count { $0 >= 0 }
        self.init(count: count, rated: unrated.map { unrated in count - targets.count { Int($0) == unrated } })
    }

    /// Sums that were saved before rows could be unrated have no number of these.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            loss: try values.decode(Double.self, forKey: .loss), correct: try values.decode(Int.self, forKey: .correct),
            count: try values.decode(Int.self, forKey: .count), rated: try values.decodeIfPresent(Int.self, forKey: .rated))
    }

    public static func += (a: inout LossSums, b: LossSums) {
        a.loss += b.loss
        a.correct += b.correct
        a.count += b.count
        a.rated += b.rated
    }
    /// Nats per counted row.
    public var meanLoss: Double { loss / Double(Swift.max(count, 1)) }
    public var accuracy: Double { Double(correct) / Double(Swift.max(rated, 1)) }
    public var perplexity: Double { RealFunctions.exp(meanLoss) }
}
