/// The identity function, `x`.
public struct Identity: Activation, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "identity"
    public static let summary = "x; slope 1"
    public var slopeBounds: ClosedRange<Double> { 1...1 }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue { x }
}

/// The absolute value, `|x|`, whose slope is ±1, so that with an orthogonal weight
/// gradients keep their norm exactly (the paper's key case).
public struct AbsoluteValue: Activation, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "abs"
    public static let summary = "|x|; slope ±1: gradients keep their norm exactly"
    public var slopeBounds: ClosedRange<Double> { 1...1 }
    /// Returns `|x|`, written so that its slope at 0 is −1 rather than 0: states that start
    /// at zero hit 0 exactly, and gradients must keep their norm there as well.
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue {
        select(x > 0, x, -x)
    }
}

/// The rectified linear unit, `max(x, 0)`.
public struct ReLU: Activation, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "relu"
    public static let summary = "max(x, 0); slope 0 or 1"
    public var slopeBounds: ClosedRange<Double> { 0...1 }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue { max(x, 0) }
}

/// The leaky rectified linear unit: `x` above 0 and `slope · x` below.
public struct LeakyReLU: Activation, Plugin {
    /// The options of ``LeakyReLU``.
    public struct Options: OptionSection {
        /// The slope below 0, in 0...1; the paper uses 0.5 and 0.95.
        public var slope = 0.5
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("slope", \.slope, .within(0...1), "Slope below 0.")
        ]
    }
    /// The slope below 0, in 0...1.
    public let slope: Double

    public init(options: Options) { self.init(slope: options.slope) }
    /// Creates a leaky ReLU.
    ///
    /// - Parameter slope: the slope below 0, in 0...1; the paper uses 0.5 and 0.95.
    public init(slope: Double = 0.5) {
        precondition((0...1).contains(slope), "slope must lie in 0...1")
        self.slope = slope
    }
    public static let name = "leaky-relu"
    public static let summary = "x above 0, slope · x below"
    public var slopeBounds: ClosedRange<Double> { slope...1 }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue {
        select(x > 0, x, slope * x)
    }
}

/// The hyperbolic tangent.
public struct Tanh: Activation, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "tanh"
    public static let summary = "hyperbolic tangent; slope in (0, 1]"
    public var slopeBounds: ClosedRange<Double> { 0...1 }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue { tanh(x) }
}

/// The logistic function, `1 / (1 + exp(-x))`.
public struct Sigmoid: Activation, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "sigmoid"
    public static let summary = "1 / (1 + exp(-x)); slope in (0, 0.25]"
    public var slopeBounds: ClosedRange<Double> { 0...0.25 }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue { sigmoid(x) }
}
