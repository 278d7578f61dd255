/// A loss that sees all scores of a row at once: the logits of V classes, or the numbers that are predicted.
///
/// It says what a row's scores cost and how the cost changes with each of them; the projection before it, its gradients,
/// rows without a target, the mean over the rows and the accuracy are taken care of. A loss of classes that is a sum of
/// terms of the probabilities is shorter as a ``ClassLoss``, and a loss of single numbers as a ``PointwiseLoss``.
///
///     struct Margin: ScoreLoss {
///         let name = "hinge loss"
///         func prepare(for data: DatasetDescription, on backend: any Backend) throws -> any PreparedScoreLoss {
///             try Prepared(on: backend)
///         }
///     }
///
/// Dropout of logits acts on the scores of classes before the loss sees them; on predicted numbers it doesn't act.
public protocol ScoreLoss: Loss {
    /// Prepares the loss for rows of V = ``DatasetDescription/classes`` scores.
    ///
    /// - Parameters:
    ///   - data: the data that the model is built for.
    ///   - backend: the backend that the model runs on.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the loss can't judge targets of this kind, or what the backend
    ///   throws.
    func prepare(for data: DatasetDescription, on backend: any Backend) throws -> any PreparedScoreLoss
}

/// A ``ScoreLoss`` with its kernels and memory.
public protocol PreparedScoreLoss: AnyObject {
    /// Computes the losses of some rows, and how each changes with the row's scores.
    ///
    /// - Parameters:
    ///   - scores: the scores, [R, V], which stay as they are.
    ///   - targets: the class of each row as a number, [R, 1], or its target numbers, [R, V]; 0 for a row without a target,
    ///     for which any result does.
    ///   - losses: where the losses are written, [R, 1].
    ///   - gradient: where the derivative of each row's loss with respect to its scores is written, [R, V]; nil to evaluate
    ///     only.
    /// - Throws: what the backend throws.
    func compute(scores: MatrixView, targets: MatrixView, losses: MatrixView, gradient: MatrixView?) throws
}

extension ScoreLoss {
    /// Prepares the loss behind the projection; rows are computed in chunks, so that the scores need not all exist at once.
    ///
    /// - Throws: what ``prepare(for:on:)`` throws.
    public func makeExecutor(for data: DatasetDescription, width: Int, on backend: any Backend) throws
        -> any LossExecutor
    {
        try ScoreLossExecutor(try prepare(for: data, on: backend), for: data, on: backend)
    }
}
