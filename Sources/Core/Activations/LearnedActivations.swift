/// The modReLU, `sign(x) · max(|x| + b, 0)`, with a learned bias `b` per unit (Arjovsky,
/// Shah & Bengio 2016, on real numbers as in Helfrich, Willmott & Ye 2018).
public struct ModReLU: Activation, Plugin {
    /// The options of ``ModReLU``.
    public struct Options: OptionSection {
        /// The bias of every unit before training.
        public var initialBias = 0.0
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("initialBias", \.initialBias, .finite, "Initial bias of every unit.").needing(.freshWeights)
        ]
    }
    /// The options that this activation was made with.
    public let options: Options

    public init(options: Options = Options()) { self.options = options }
    public static let name = "modrelu"
    public static let summary = "sign(x) · max(|x| + b, 0), b learned per unit; slope 0 or 1"
    public var slopeBounds: ClosedRange<Double> { 0...1 }
    /// Returns 1...1 if no unit's bias is below 0, since the slope is 0 only where `|x| < -b`.
    public func slopeBounds(at parameters: [[Double]]) -> ClosedRange<Double> {
        parameters[0].allSatisfy { $0 >= 0 } ? 1...1 : 0...1
    }
    public var unitParameters: [UnitParameter] { [UnitParameter("modrelu_bias", initialValue: options.initialBias)] }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue {
        sign(x) * max(abs(x) + parameters[0], 0)
    }
}

/// The parametric rectified linear unit: `x` above 0 and `a x` below, with a slope `a` learned per unit (He, Zhang, Ren &
/// Sun 2015).
public struct PReLU: Activation, Plugin {
    /// The options of ``PReLU``.
    public struct Options: OptionSection {
        /// The slope below 0 of every unit before training; 0.25 in the paper.
        public var initialSlope = 0.25
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("initialSlope", \.initialSlope, .finite, "Initial slope below 0 of every unit.").needing(
                .freshWeights)
        ]
    }
    /// The options that this activation was made with.
    public let options: Options

    public init(options: Options = Options()) { self.options = options }
    public static let name = "prelu"
    public static let summary = "x above 0, a · x below, a learned per unit"
    public var slopeBounds: ClosedRange<Double> { slopeBounds(at: [[options.initialSlope]]) }
    public func slopeBounds(at parameters: [[Double]]) -> ClosedRange<Double> {
        let slopes = parameters[0].map(\.magnitude) + [1]
        return slopes.min()!...slopes.max()!
    }
    public var unitParameters: [UnitParameter] { [UnitParameter("prelu_slope", initialValue: options.initialSlope)] }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue {
        select(x > 0, x, parameters[0] * x)
    }
}

/// The snake, `x + sin²(a x) / a`, with a frequency `a` learned per unit (Ziyin, Hartwig & Ueda 2020), whose slope is
/// `1 + sin(2 a x)`.
public struct Snake: Activation, Plugin {
    /// The options of ``Snake``.
    public struct Options: OptionSection {
        /// The frequency `a` of every unit before training, above 0; the paper begins at 1 unless a larger one is known
        /// to suit the data.
        public var initialFrequency = 1.0
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("initialFrequency", \.initialFrequency, .above(0), "Initial frequency a of every unit.").needing(
                .freshWeights)
        ]
    }
    /// The options that this activation was made with.
    public let options: Options

    /// Creates a snake.
    ///
    /// - Precondition: the initial frequency is above 0.
    public init(options: Options = Options()) {
        precondition(options.initialFrequency > 0, "initialFrequency must be above 0")
        self.options = options
    }
    public static let name = "snake"
    public static let summary = "x + sin²(a x) / a, a learned per unit; slope in [0, 2]"
    public var slopeBounds: ClosedRange<Double> { 0...2 }
    public var unitParameters: [UnitParameter] {
        [UnitParameter("snake_frequency", initialValue: options.initialFrequency)]
    }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue {
        x + pow(sin(parameters[0] * x), 2) / parameters[0]
    }
}
