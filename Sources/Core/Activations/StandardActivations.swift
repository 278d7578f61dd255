/// `x`.
public struct Identity: Activation {
    public init() {}
    public var name: String { "identity" }
    public var summary: String { "x; slope 1" }
    public var slopeBounds: ClosedRange<Double> { 1...1 }
    public func callAsFunction(_ x: Expression, parameters: [Expression]) -> Expression { x }
}

/// `|x|`: slope ±1, so that with an orthogonal weight gradients keep their norm
/// exactly (the paper's key case).
public struct AbsoluteValue: Activation {
    public init() {}
    public var name: String { "abs" }
    public var summary: String { "|x|; slope ±1: gradients keep their norm exactly" }
    public var slopeBounds: ClosedRange<Double> { 1...1 }
    /// Written so that its slope at 0 is −1, not 0: states that start at zero meet 0
    /// exactly, and the norm is kept there too.
    public func callAsFunction(_ x: Expression, parameters: [Expression]) -> Expression { select(x > 0, x, -x) }
}

/// `max(x, 0)`.
public struct ReLU: Activation {
    public init() {}
    public var name: String { "relu" }
    public var summary: String { "max(x, 0); slope 0 or 1" }
    public var slopeBounds: ClosedRange<Double> { 0...1 }
    public func callAsFunction(_ x: Expression, parameters: [Expression]) -> Expression { max(x, 0) }
}

/// `x` above 0, `slope · x` below.
public struct LeakyReLU: Activation {
    public let slope: Double

    /// - Parameter slope: in 0...1; the paper uses 0.5 and 0.95.
    public init(slope: Double = 0.5) {
        precondition((0...1).contains(slope), "slope must lie in 0...1")
        self.slope = slope
    }
    public var name: String { "leaky-relu" }
    public var summary: String { "x above 0, slope · x below (--slope, default 0.5)" }
    public var slopeBounds: ClosedRange<Double> { slope...1 }
    public func callAsFunction(_ x: Expression, parameters: [Expression]) -> Expression {
        select(x > 0, x, Expression(slope) * x)
    }
}

/// The hyperbolic tangent.
public struct Tanh: Activation {
    public init() {}
    public var name: String { "tanh" }
    public var summary: String { "hyperbolic tangent; slope in (0, 1]" }
    public var slopeBounds: ClosedRange<Double> { 0...1 }
    public func callAsFunction(_ x: Expression, parameters: [Expression]) -> Expression { tanh(x) }
}

/// The logistic function.
public struct Sigmoid: Activation {
    public init() {}
    public var name: String { "sigmoid" }
    public var summary: String { "1 / (1 + exp(-x)); slope in (0, 0.25]" }
    public var slopeBounds: ClosedRange<Double> { 0...0.25 }
    public func callAsFunction(_ x: Expression, parameters: [Expression]) -> Expression { sigmoid(x) }
}

/// `sign(x) · max(|x| + b, 0)` with a learned bias `b` per unit (Arjovsky, Shah &
/// Bengio 2016, on real numbers as in Helfrich, Willmott & Ye 2018).
public struct ModReLU: Activation {
    public init() {}
    public var name: String { "modrelu" }
    public var summary: String { "sign(x) · max(|x| + b, 0), b learned per unit; slope 0 or 1" }
    public var slopeBounds: ClosedRange<Double> { 0...1 }
    public var unitParameters: [UnitParameter] { [UnitParameter("modrelu_bias")] }
    public func callAsFunction(_ x: Expression, parameters: [Expression]) -> Expression {
        sign(x) * max(abs(x) + parameters[0], 0)
    }
}
