/// A loss of one prediction and one target, given as an equation from which the gradient is
/// derived.
///
///     struct LogCosh: PointwiseLoss {
///         let name = "log cosh"
///         func callAsFunction(prediction: SymbolicValue, target: SymbolicValue) -> SymbolicValue {
///             let error = prediction - target
///             return log((exp(error) + exp(-error)) / 2)
///         }
///     }
///
/// It judges targets that are real numbers, one or several per sequence or per position, and
/// training minimizes its mean over all of them. Dropout of logits doesn't apply to its
/// predictions.
public protocol PointwiseLoss: Loss {
    /// Returns the loss of one prediction.
    ///
    /// - Parameters:
    ///   - prediction: the number that the model predicts.
    ///   - target: the number in the data set.
    /// - Returns: an expression of the loss, finite and without random numbers.
    func callAsFunction(prediction: SymbolicValue, target: SymbolicValue) -> SymbolicValue
}

extension PointwiseLoss {
    /// Compiles the equation and its derivative with respect to the prediction.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the targets are classes, or what
    ///   the backend throws.
    public func makeExecutor(for data: DatasetDescription, width: Int, on backend: any Backend) throws
        -> any LossExecutor
    {
        guard data.targets.areValues else {
            throw RecurrentError.invalidOption(
                "the loss '\(name)' needs targets that are numbers; this data set's are classes")
        }
        return try PointwiseLossExecutor(self, mayLackTargets: data.targets.isPerPosition, on: backend)
    }
}

/// The mean squared error: the loss of a data set whose targets are numbers, unless it names
/// another.
public struct SquaredError: PointwiseLoss {
    /// Creates the loss, which has no settings.
    public init() {}
    /// The name of the loss in messages.
    public var name: String { "squared error" }
    /// Returns `(prediction - target)²`.
    public func callAsFunction(prediction: SymbolicValue, target: SymbolicValue) -> SymbolicValue {
        (prediction - target) * (prediction - target)
    }
}
