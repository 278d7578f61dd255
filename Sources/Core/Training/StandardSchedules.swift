/// A learning rate that stays the same throughout.
public struct ConstantSchedule: LearningRateSchedule, Plugin {
    public static let name = "constant"
    public static let summary = "the same rate throughout"
    /// Creates the schedule, which has no options.
    public init(options: NoOptions = NoOptions()) {}
    public func rate(at moment: ScheduleMoment) -> Double { moment.base }
}

/// A learning rate that is multiplied by a factor every few epochs, like torch's StepLR.
public struct StepSchedule: LearningRateSchedule, Plugin {
    public static let name = "step"
    public static let summary = "multiplied by a factor every few epochs (torch's StepLR)"
    /// The interval, the factor, and a lower bound of the rate.
    public struct Options: OptionSection {
        /// The number of epochs between two reductions, at least 1.
        public var epochs = 1
        /// The factor by which the rate is multiplied, between 0 and 1, both excluded.
        public var factor = 0.25
        /// The lower bound of the rate.
        public var minimum = 0.0
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .integer("scheduleEpochs", \.epochs, 1...(.max), "Epochs between two reductions of the rate."),
            .factor(\.factor), .minimumRate(\.minimum),
        ]
    }
    /// The interval, the factor, and the lower bound of the rate.
    public let options: Options

    /// Creates the schedule from its options.
    public init(options: Options) { self.options = options }
    /// Creates the schedule.
    ///
    /// - Parameters:
    ///   - epochs: the number of epochs between two reductions.
    ///   - factor: the factor by which the rate is multiplied.
    ///   - minimum: the lower bound of the rate.
    public init(epochs: Int, factor: Double, minimum: Double = 0) {
        var options = Options()
        (options.epochs, options.factor, options.minimum) = (epochs, factor, minimum)
        self.init(options: options)
    }

    public func check(learningRate: Double) throws {
        try options.check()
        try checkMinimum(options.minimum, learningRate: learningRate)
    }
    public func rate(at moment: ScheduleMoment) -> Double {
        moment.reduced((moment.epoch - 1) / options.epochs, by: options.factor, minimum: options.minimum)
    }
}

/// A learning rate that is multiplied by a factor when the validation loss hasn't improved
/// by a ten-thousandth for some epochs in a row, like torch's ReduceLROnPlateau.
public struct PlateauSchedule: LearningRateSchedule, Plugin {
    public static let name = "plateau"
    public static let summary =
        "multiplied by a factor when the validation loss stops improving (torch's ReduceLROnPlateau)"
    /// The patience, the factor, and a lower bound of the rate.
    public struct Options: OptionSection {
        /// The number of epochs in a row without a better validation loss that are tolerated
        /// before the rate is reduced.
        public var patience = 0
        /// The factor by which the rate is multiplied, between 0 and 1, both excluded.
        public var factor = 0.25
        /// The lower bound of the rate.
        public var minimum = 0.0
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .integer(
                "schedulePatience", \.patience, 0...(.max),
                "Epochs without a better validation loss that are tolerated."),
            .factor(\.factor), .minimumRate(\.minimum),
        ]
    }
    /// The patience, the factor, and the lower bound of the rate.
    public let options: Options

    /// Creates the schedule from its options.
    public init(options: Options) { self.options = options }
    /// Creates the schedule.
    ///
    /// - Parameters:
    ///   - patience: the number of epochs without a better validation loss that are tolerated.
    ///   - factor: the factor by which the rate is multiplied.
    ///   - minimum: the lower bound of the rate.
    public init(patience: Int, factor: Double, minimum: Double = 0) {
        var options = Options()
        (options.patience, options.factor, options.minimum) = (patience, factor, minimum)
        self.init(options: options)
    }

    public func check(learningRate: Double) throws {
        try options.check()
        try checkMinimum(options.minimum, learningRate: learningRate)
    }
    public func rate(at moment: ScheduleMoment) -> Double {
        var best = Double.infinity, worse = 0, reductions = 0
        for loss in moment.validationLosses {
            if loss < best * (1 - 1e-4) {
                (best, worse) = (loss, 0)
            } else {
                worse += 1
                if worse > options.patience { (reductions, worse) = (reductions + 1, 0) }
            }
        }
        return moment.reduced(reductions, by: options.factor, minimum: options.minimum)
    }
}

/// A learning rate that falls along half a cosine after the warm-up, down to a minimum at
/// the last step (Loshchilov & Hutter 2017, without restarts). A run that is resumed for
/// more epochs continues on the longer cosine.
public struct CosineSchedule: LearningRateSchedule, Plugin {
    public static let name = "cosine"
    public static let summary = "half a cosine down to the last step (Loshchilov & Hutter 2017)"
    /// The rate at which the cosine ends.
    public struct Options: OptionSection {
        /// The rate at the last step.
        public var minimum = 0.0
        public init() {}
        public static let fields: [OptionField<Self>] = [.minimumRate(\.minimum)]
    }
    /// The rate at which the cosine ends.
    public let options: Options

    /// Creates the schedule from its options.
    public init(options: Options) { self.options = options }
    /// Creates the schedule.
    ///
    /// - Parameter minimum: the rate at the last step.
    public init(minimum: Double = 0) {
        var options = Options()
        options.minimum = minimum
        self.init(options: options)
    }

    public func check(learningRate: Double) throws {
        try options.check()
        try checkMinimum(options.minimum, learningRate: learningRate)
    }
    public func rate(at moment: ScheduleMoment) -> Double {
        let (minimum, warmup) = (options.minimum, moment.warmupSteps)
        let done = min(max(Double(moment.step - warmup) / Double(max(moment.totalSteps - warmup, 1)), 0), 1)
        let rate = minimum + (moment.base - minimum) * (1 + RealFunctions.cos(.pi * done)) / 2
        return max(rate, min(minimum, moment.base))
    }
}

extension LearningRateSchedule {
    /// A rate that fell to a higher one would be no schedule that anybody asks for.
    fileprivate func checkMinimum(_ minimum: Double, learningRate: Double) throws {
        guard minimum > learningRate else { return }
        let (low, high) = (OptionValue.number(minimum).text, OptionValue.number(learningRate).text)
        throw RecurrentError.invalidOption(
            "`minimumLearningRate` \(low) is above `learningRate` \(high); lower the minimum to at most \(high), or raise the rate to at least \(low)"
        )
    }
}

extension OptionField {
    fileprivate static func factor(_ path: any WritableKeyPath<Section, Double> & Sendable) -> Self {
        .number("scheduleFactor", path, .between(0, and: 1), "Factor by which the rate is multiplied.")
    }
    fileprivate static func minimumRate(_ path: any WritableKeyPath<Section, Double> & Sendable) -> Self {
        .number("minimumLearningRate", path, .atLeast(0), "Lower bound of the rate, where the cosine ends.")
            .resumable
    }
}

extension ScheduleMoment {
    fileprivate func reduced(_ times: Int, by factor: Double, minimum: Double) -> Double {
        max(base * (0..<times).reduce(1) { product, _ in product * factor }, min(minimum, base))
    }
}
