/// The same learning rate throughout.
public struct ConstantSchedule: LearningRateSchedule, Plugin {
    public static let name = "constant"
    public static let summary = "the same rate throughout"
    public init(options: NoOptions = NoOptions()) {}
    public func rate(at moment: ScheduleMoment) -> Double { moment.base }
}

/// Times a factor after every so many epochs, as torch's StepLR.
public struct StepSchedule: LearningRateSchedule, Plugin {
    public static let name = "step"
    public static let summary = "times a factor after every so many epochs (torch's StepLR)"
    /// The interval, the factor, and a lower bound.
    public struct Options: OptionSection {
        /// Epochs between two reductions, at least 1.
        public var epochs = 1
        /// What the rate is multiplied by, in 0...1 without its ends.
        public var factor = 0.25
        /// The rate's lower bound.
        public var minimum = 0.0
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .integer("scheduleEpochs", \.epochs, 1...(.max), "Epochs between two reductions of the rate."),
            .factor(\.factor), .minimumRate(\.minimum),
        ]
    }
    public let options: Options

    public init(options: Options) { self.options = options }
    /// - Parameters:
    ///   - epochs: between two reductions.
    ///   - factor: what the rate is multiplied by.
    ///   - minimum: the rate's lower bound.
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

/// Times a factor once the validation loss has not become better by a ten-thousandth
/// for some epochs in a row, as torch's ReduceLROnPlateau.
public struct PlateauSchedule: LearningRateSchedule, Plugin {
    public static let name = "plateau"
    public static let summary = "times a factor where the validation loss gets no better (torch's ReduceLROnPlateau)"
    /// The patience, the factor, and a lower bound.
    public struct Options: OptionSection {
        /// Epochs without a better validation loss that are let pass.
        public var patience = 0
        /// What the rate is multiplied by, in 0...1 without its ends.
        public var factor = 0.25
        /// The rate's lower bound.
        public var minimum = 0.0
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .integer(
                "schedulePatience", \.patience, 0...(.max), "Epochs without a better validation loss that are let pass."
            ),
            .factor(\.factor), .minimumRate(\.minimum),
        ]
    }
    public let options: Options

    public init(options: Options) { self.options = options }
    /// - Parameters:
    ///   - patience: epochs that are let pass.
    ///   - factor: what the rate is multiplied by.
    ///   - minimum: the rate's lower bound.
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

/// Half a cosine from the rate, after the warm-up, down to a minimum at the last step
/// (Loshchilov & Hutter 2017, without restarts). A run that is resumed for more epochs
/// is on the longer cosine from there.
public struct CosineSchedule: LearningRateSchedule, Plugin {
    public static let name = "cosine"
    public static let summary = "half a cosine down to the last step (Loshchilov & Hutter 2017)"
    /// Where the cosine ends.
    public struct Options: OptionSection {
        /// The rate of the last step.
        public var minimum = 0.0
        public init() {}
        public static let fields: [OptionField<Self>] = [.minimumRate(\.minimum)]
    }
    public let options: Options

    public init(options: Options) { self.options = options }
    /// - Parameter minimum: the rate of the last step.
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
        throw RecurrentError.invalidOption(
            "`minimumLearningRate` must be in 0...\(OptionValue.number(learningRate).text) (the learning rate), not \(OptionValue.number(minimum).text)"
        )
    }
}

extension OptionField {
    fileprivate static func factor(_ path: any WritableKeyPath<Section, Double> & Sendable) -> Self {
        .number("scheduleFactor", path, .between(0, and: 1), "What the rate is multiplied by.")
    }
    fileprivate static func minimumRate(_ path: any WritableKeyPath<Section, Double> & Sendable) -> Self {
        .number("minimumLearningRate", path, .atLeast(0), "The rate's lower bound; cosine ends there.")
    }
}

extension ScheduleMoment {
    fileprivate func reduced(_ times: Int, by factor: Double, minimum: Double) -> Double {
        max(base * (0..<times).reduce(1) { product, _ in product * factor }, min(minimum, base))
    }
}
