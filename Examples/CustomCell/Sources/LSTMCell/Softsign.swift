import RecurrentCore

/// The softsign, `x / (1 + |x|)`, whose slope `1 / (1 + |x|)²` lies in (0, 1].
public struct Softsign: Activation, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "softsign"
    public static let summary = "x / (1 + |x|); slope in (0, 1]"
    public var slopeBounds: ClosedRange<Double> { 0...1 }
    public func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue { x / (1 + abs(x)) }
}
