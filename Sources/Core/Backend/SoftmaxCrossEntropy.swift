/// Softmax cross-entropy over a linear projection, with its gradients. The logits
/// are computed and consumed a chunk of rows at a time.
///
/// Dimensions: R rows, H width, V classes. A row whose target is negative
/// is ignored.
public protocol SoftmaxCrossEntropy: AnyObject {
    /// Computes the loss of R rows and, if they are wanted, its gradients; waits for the device.
    ///
    /// - Parameters:
    ///   - inputs: the inputs of the projection, [R, H].
    ///   - weight: the weight of the projection, [V, H].
    ///   - bias: the bias of the projection, [1, V].
    ///   - targets: one class per row.
    ///   - dropout: inverted dropout of the logits, which is where the paper applies it;
    ///     element (r, v) is drawn at index `r * V + v`. Nil for none.
    ///   - gradients: where the gradients go, scaled by 1 / the number of rows that have a
    ///     target; nil to evaluate only.
    /// - Returns: the sums over the rows that have a target.
    /// - Throws: what the backend throws.
    func callAsFunction(
        inputs: MatrixView, weight: MatrixView, bias: MatrixView, targets: [Int32],
        dropout: (rate: Double, key: RandomKey)?, gradients: ProjectionGradients?
    ) throws -> LossSums

    /// Does the work of ``callAsFunction(inputs:weight:bias:targets:dropout:gradients:)``,
    /// but need not wait for the device. By default it does wait, and the sums are known at once.
    func start(
        inputs: MatrixView, weight: MatrixView, bias: MatrixView, targets: [Int32],
        dropout: (rate: Double, key: RandomKey)?, gradients: ProjectionGradients?
    ) throws -> PendingLoss
}

extension SoftmaxCrossEntropy {
    /// Returns the sums of ``callAsFunction(inputs:weight:bias:targets:dropout:gradients:)``,
    /// which are known at once.
    ///
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

/// The matrices that receive the gradients of a projection.
public struct ProjectionGradients: Sendable {
    /// The gradient of the inputs, [R, H]; overwritten.
    public let inputs: MatrixView
    /// The gradient of the weight, [V, H]; added to what is there.
    public let weight: MatrixView
    /// The gradient of the bias, [1, V]; added to what is there.
    public let bias: MatrixView
    /// Creates gradients of shapes [R, H], [V, H] and [1, V].
    public init(inputs: MatrixView, weight: MatrixView, bias: MatrixView) {
        self.inputs = inputs
        self.weight = weight
        self.bias = bias
    }
}
