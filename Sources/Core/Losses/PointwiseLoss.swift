/// A loss of one prediction and one target, as an equation; the gradient is derived from it.
///
///     struct LogCosh: PointwiseLoss {
///         let name = "log cosh"
///         func callAsFunction(prediction: SymbolicValue, target: SymbolicValue) -> SymbolicValue {
///             let error = prediction - target
///             return log((exp(error) + exp(-error)) / 2)
///         }
///     }
///
/// It judges targets that are real numbers, one per sequence or one per position, and its
/// mean over all of them is what a model descends. Dropout of logits leaves its predictions
/// alone.
public protocol PointwiseLoss: Loss {
    /// What a prediction costs.
    ///
    /// - Parameters:
    ///   - prediction: the model's number.
    ///   - target: the data set's.
    /// - Returns: the loss, finite and without random numbers.
    func callAsFunction(prediction: SymbolicValue, target: SymbolicValue) -> SymbolicValue
}

extension PointwiseLoss {
    /// Compiles the equation and its derivative by the prediction.
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

/// The mean squared error: what a data set whose targets are numbers has unless it names
/// another.
public struct SquaredError: PointwiseLoss {
    /// The loss has no settings.
    public init() {}
    /// What it is called in messages.
    public var name: String { "squared error" }
    /// `(prediction - target)²`.
    public func callAsFunction(prediction: SymbolicValue, target: SymbolicValue) -> SymbolicValue {
        (prediction - target) * (prediction - target)
    }
}
