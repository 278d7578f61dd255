/// The Gaussian error linear unit, `x Φ(x)` with the normal distribution's Φ, exactly rather than by tanh (Hendrycks &
/// Gimpel 2016).
public struct GELU: Activation, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "gelu"
    public static let summary = "x Φ(x), exactly; slope in [-0.129, 1.129]"
    /// The slope is greatest, and least, at ±√2.
    public var slopeBounds: ClosedRange<Double> { 0...1.1289042 }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue {
        0.5 * x * (1 + erf(0.5.squareRoot() * x))
    }
}

/// The sigmoid linear unit or swish, `x · sigmoid(x)` (Elfwing, Uchibe & Doya 2018; Ramachandran, Zoph & Le 2017).
public struct SiLU: Activation, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "silu"
    public static let summary = "x / (1 + exp(-x)), also called swish; slope in [-0.0998, 1.0998]"
    public var slopeBounds: ClosedRange<Double> { 0...1.0998394 }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue { x * sigmoid(x) }
}

/// The softsign, `x / (1 + |x|)`, whose slope `1 / (1 + |x|)²` lies in (0, 1].
public struct Softsign: Activation, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "softsign"
    public static let summary = "x / (1 + |x|); slope in (0, 1]"
    public var slopeBounds: ClosedRange<Double> { 0...1 }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue { x / (1 + abs(x)) }
}
