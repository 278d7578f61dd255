/// How the learning rate changes while a model is trained: a function of what has
/// happened so far, so that a resumed run has the same rates.
public protocol LearningRateSchedule: Sendable {
    /// The learning rate of the next update, without warm-up.
    func rate(at moment: ScheduleMoment) -> Double
    /// Checks the options that the schedule was made with. By default nothing is wrong.
    ///
    /// - Parameter learningRate: the rate that the schedule will start from.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the option.
    func check(learningRate: Double) throws
}

extension LearningRateSchedule {
    public func check(learningRate: Double) throws {}
}

/// Where a training run stands before an update.
public struct ScheduleMoment: Sendable {
    /// The learning rate that the schedule starts from.
    public let base: Double
    /// Updates made so far.
    public let step: Int
    /// The epoch of the next update, from 1.
    public let epoch: Int
    /// Updates of the whole run.
    public let totalSteps: Int
    /// Updates over which the rate rises from 0 in a straight line.
    public let warmupSteps: Int
    /// The validation losses of the epochs that are done.
    public let validationLosses: [Double]

    /// - Parameters:
    ///   - base: the learning rate that the schedule starts from.
    ///   - step: updates made so far.
    ///   - epoch: the epoch of the next update, from 1.
    ///   - totalSteps: updates of the whole run.
    ///   - warmupSteps: updates over which the rate rises from 0.
    ///   - validationLosses: of the epochs that are done.
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

    /// What the rate is multiplied by during warm-up; 1 after it.
    public var warmup: Double { warmupSteps > step ? Double(step + 1) / Double(warmupSteps) : 1 }
}
