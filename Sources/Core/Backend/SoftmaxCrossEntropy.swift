/// Softmax cross-entropy over a linear projection, with its gradients: logits
/// are made and consumed a chunk of rows at a time.
///
/// Dimensions: R rows, H width, V classes. A row whose target is negative
/// counts for nothing.
public protocol SoftmaxCrossEntropy: AnyObject {
    /// The loss of R rows, and its gradients where they are wanted; waits for the device.
    ///
    /// - Parameters:
    ///   - inputs: [R, H].
    ///   - weight: [V, H].
    ///   - bias: [1, V].
    ///   - targets: R classes.
    ///   - dropout: inverted dropout of the logits (the paper's place for it),
    ///     element (r, v) drawn at index `r * V + v`; nil for none.
    ///   - gradients: where gradients go, scaled by `1 / count of targets`; nil to evaluate only.
    /// - Returns: sums over the rows that have a target.
    /// - Throws: what the backend throws.
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
    /// The sums of ``callAsFunction(inputs:weight:bias:targets:dropout:gradients:)``, which
    /// are there at once.
    /// - Throws: what the backend throws.
    public func start(
        inputs: MatrixView, weight: MatrixView, bias: MatrixView, targets: [Int32],
        dropout: (rate: Double, key: RandomKey)?, gradients: ProjectionGradients?
    ) throws -> PendingLoss {
        PendingLoss(
            try self(
                inputs: inputs, weight: weight, bias: bias, targets: targets, dropout: dropout, gradients: gradients))
    }
}

/// Where the gradients of a projection go.
public struct ProjectionGradients: Sendable {
    /// [R, H], overwritten.
    public let inputs: MatrixView
    /// [V, H], added to.
    public let weight: MatrixView
    /// [1, V], added to.
    public let bias: MatrixView
    /// Gradients of shapes [R, H], [V, H] and [1, V].
    public init(inputs: MatrixView, weight: MatrixView, bias: MatrixView) {
        self.inputs = inputs
        self.weight = weight
        self.bias = bias
    }
}
