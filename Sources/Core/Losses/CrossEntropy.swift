/// The softmax cross-entropy of classes, in nats: the loss of a data set whose targets are
/// classes, unless it names another.
///
/// The backend's own ``SoftmaxCrossEntropy`` computes it, fused with the projection. The
/// class ``DatasetDescription/classExcludedFromAccuracy`` counts for the loss but not for the accuracy.
public struct CrossEntropy: Loss {
    /// Creates the loss, which has no settings.
    public init() {}
    /// The name of the loss in messages.
    public var name: String { "softmax cross-entropy" }

    /// Prepares the loss for V classes.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the targets are numbers, or what
    ///   the backend throws.
    public func makeExecutor(for data: DatasetDescription, width: Int, on backend: any Backend) throws
        -> any LossExecutor
    {
        guard !data.targets.areValues else {
            throw RecurrentError.invalidOption("\(name) needs targets that are classes; this data set's are numbers")
        }
        return Executor(
            try backend.makeSoftmaxCrossEntropy(
                classes: data.classes, width: width, excludedClass: data.classExcludedFromAccuracy))
    }

    private final class Executor: LossExecutor {
        private let softmax: any SoftmaxCrossEntropy

        init(_ softmax: any SoftmaxCrossEntropy) { self.softmax = softmax }

        func start(
            inputs: MatrixView, projection: LinearLayer, batch: Batch, dropout: (rate: Double, key: RandomKey)?,
            gradient: MatrixView?
        ) throws -> PendingLoss {
            try softmax.start(
                inputs: inputs, weight: projection.weightView, bias: projection.biasView, targets: batch.targets,
                dropout: dropout, gradients: gradient.map { projection.gradients(inputs: $0) })
        }
    }
}
