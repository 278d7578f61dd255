/// A function that judges a data set's predictions.
///
/// A data set names its loss in its ``DatasetDescription``; a model prepares it once, for
/// its projection, and calls the executor with every batch. Two losses of one type that are
/// equal must give the same numbers. A loss of one prediction and one target is written as a
/// ``PointwiseLoss``, whose gradient is derived from its equation.
public protocol Loss: Sendable, Equatable {
    /// The name of the loss in messages, such as "squared error".
    var name: String { get }

    /// Prepares the loss for a model's outputs.
    ///
    /// - Parameters:
    ///   - data: the data that the model is built for, with V = ``DatasetDescription/classes``.
    ///   - width: the width H of the states that the projection reads.
    ///   - backend: the backend that the model runs on.
    /// - Returns: an executor for this model.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the loss can't judge targets of
    ///   this kind, or what the backend throws.
    func makeExecutor(for data: DatasetDescription, width: Int, on backend: any Backend) throws -> any LossExecutor
}

/// A loss that is prepared for a model, with whatever memory it needs.
public protocol LossExecutor: AnyObject {
    /// Computes the loss of a batch and its gradients; it need not wait for the device.
    ///
    /// The R rows are the batch's sequences, or all T·B positions where each has a target:
    /// row `t * B + b` is position (t, b).
    ///
    /// - Parameters:
    ///   - inputs: the states that the projection reads, [R, H].
    ///   - projection: the model's projection from H to V.
    ///   - batch: the batch, with a target for each row in ``Batch/targets`` or ``Batch/values``.
    ///   - dropout: the dropout of the projection's outputs, for a loss that takes them for
    ///     logits; nil for none.
    ///   - gradient: where the gradient of `inputs` is written, [R, H], for the mean loss over
    ///     all rows that count, while the gradients of the projection's parameters are added
    ///     to; nil to evaluate only.
    /// - Returns: the sums over the rows that count, which may still be on their way.
    /// - Throws: what the backend throws.
    func start(
        inputs: MatrixView, projection: LinearLayer, batch: Batch, dropout: (rate: Double, key: RandomKey)?,
        gradient: MatrixView?
    ) throws -> PendingLoss
}

extension Loss {
    /// Returns whether another loss, perhaps of another type, is the same.
    func isEqual(to other: any Loss) -> Bool { (other as? Self) == self }
}

extension DatasetDescription.Targets {
    /// The loss for these targets where a data set names no other: ``CrossEntropy`` for
    /// classes, ``SquaredError`` for numbers.
    public var usualLoss: any Loss {
        switch self {
        case .sequenceClass, .positionClass: CrossEntropy()
        case .sequenceValue, .positionValue, .sequenceValues, .positionValues: SquaredError()
        }
    }
}
