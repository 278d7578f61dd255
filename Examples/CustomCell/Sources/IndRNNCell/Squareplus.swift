import RecurrentCore

/// Squareplus, a smooth ReLU without exponentials, `(x + √(x² + 4)) / 2` (Barron 2021), whose slope
/// `(1 + x / √(x² + 4)) / 2` lies in (0, 1).
public struct Squareplus: Activation, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "squareplus"
    public static let summary = "(x + √(x² + 4)) / 2; slope in (0, 1)"
    public var slopeBounds: ClosedRange<Double> { 0...1 }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue {
        0.5 * (x + sqrt(x * x + 4))
    }
}
