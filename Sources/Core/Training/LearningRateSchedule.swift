/// A rule for changing the learning rate during training. The rate is a function of what
/// has happened so far, so that a resumed run has the same rates.
public protocol LearningRateSchedule: Sendable {
    /// Returns the learning rate of the next update, without warm-up.
    func rate(at moment: ScheduleMoment) -> Double
    /// Checks the schedule's options; by default they are valid.
    ///
    /// - Parameter learningRate: the learning rate that the schedule starts from.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming an option that is out of range.
    func check(learningRate: Double) throws
}

extension LearningRateSchedule {
    public func check(learningRate: Double) throws {}
}

/// The state of a training run before an update, from which its learning rate follows.
public struct ScheduleMoment: Sendable {
    /// The learning rate that the schedule starts from.
    public let base: Double
    /// The number of updates so far.
    public let step: Int
    /// The epoch of the next update, from 1.
    public let epoch: Int
    /// The number of updates in the whole run.
    public let totalSteps: Int
    /// The number of updates over which the rate rises linearly from 0.
    public let warmupSteps: Int
    /// The validation losses of the finished epochs.
    public let validationLosses: [Double]

    /// Creates a moment of a run.
    ///
    /// - Parameters:
    ///   - base: the learning rate that the schedule starts from.
    ///   - step: the number of updates so far.
    ///   - epoch: the epoch of the next update, from 1.
    ///   - totalSteps: the number of updates in the whole run.
    ///   - warmupSteps: the number of updates over which the rate rises linearly from 0.
    ///   - validationLosses: the validation losses of the finished epochs.
    public init(
        base: Double, step: Int, epoch: Int, totalSteps: Int, warmupSteps: Int = 0, validationLosses: [Double] = []
    ) {
        self.base = base
        self.step = step
        self.epoch = epoch
        self.totalSteps = totalSteps
        self.warmupSteps = warmupSteps
        self.validationLosses = validationLosses
    }

    /// The factor by which warm-up multiplies the rate; 1 after the warm-up.
    public var warmup: Double { warmupSteps > step ? Double(step + 1) / Double(warmupSteps) : 1 }
}
