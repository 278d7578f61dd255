/// What a data set's predictions are judged by.
///
/// A data set names its loss in its ``DatasetDescription``; a model prepares it once, for
/// its projection, and asks the executor with every batch. Two losses of one type that are
/// equal give the same numbers. A loss of one prediction and one target is written as a
/// ``PointwiseLoss``, whose gradient follows from the equation.
public protocol Loss: Sendable, Equatable {
    /// What it is called in messages: "squared error".
    var name: String { get }

    /// Prepares the loss for a model's outputs.
    ///
    /// - Parameters:
    ///   - data: what the model is built for, with V = ``DatasetDescription/classes``.
    ///   - width: H, of the states that the projection reads.
    ///   - backend: where it runs.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the loss can't judge targets of
    ///   this kind, or what the backend throws.
    func makeExecutor(for data: DatasetDescription, width: Int, on backend: any Backend) throws -> any LossExecutor
}

/// A loss that is prepared for a model, with whatever memory it needs.
public protocol LossExecutor: AnyObject {
    /// The loss of a batch, and its gradients; it need not wait for the device.
    ///
    /// R rows are the batch's sequences, or all T·B positions where each has a target:
    /// row `t * B + b` is position (t, b).
    ///
    /// - Parameters:
    ///   - inputs: the states that are read, [R, H].
    ///   - projection: from H to V, with the model's weights.
    ///   - batch: has a target for each row, in ``Batch/targets`` or ``Batch/values``.
    ///   - dropout: of the projection's outputs, for a loss that takes them for logits; nil
    ///     for none.
    ///   - gradient: becomes the gradient of `inputs` [R, H] for the mean over all rows that
    ///     count, while those of the projection's parameters are added to; nil to evaluate
    ///     only.
    /// - Returns: sums over the rows that count, now or later.
    /// - Throws: what the backend throws.
    func start(
        inputs: MatrixView, projection: LinearLayer, batch: Batch, dropout: (rate: Double, key: RandomKey)?,
        gradient: MatrixView?
    ) throws -> PendingLoss
}

extension Loss {
    /// Whether another loss, perhaps of another type, is the same.
    func isEqual(to other: any Loss) -> Bool { (other as? Self) == self }
}

extension DatasetDescription.Targets {
    /// What judges such targets where a data set names nothing else: ``CrossEntropy`` for
    /// classes, ``SquaredError`` for numbers.
    public var usualLoss: any Loss {
        switch self {
        case .sequenceClass, .positionClass: CrossEntropy()
        case .sequenceValue, .positionValue: SquaredError()
        }
    }
}
