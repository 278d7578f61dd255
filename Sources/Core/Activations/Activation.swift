/// A scalar function between the products of a cell.
///
/// A new activation is one type with an expression; its derivative follows from
/// the expression. ``slopeBounds`` are the β and γ of the paper's theory
/// (Theorem 1): `β ≤ |σ'(x)| ≤ γ`.
public protocol Activation: Sendable {
    var name: String { get }
    /// One line for `cli list`.
    var summary: String { get }
    /// Parameters of its own, one number per hidden unit each.
    var unitParameters: [UnitParameter] { get }
    /// The bounds β...γ of the slope's magnitude, wherever a slope exists.
    var slopeBounds: ClosedRange<Double> { get }
    /// The function.
    ///
    /// - Parameters:
    ///   - x: the argument.
    ///   - parameters: one expression for each of ``unitParameters``.
    func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue
}

/// A parameter with one number per hidden unit.
public struct UnitParameter: Sendable {
    public let name: String
    public let initialValue: Double
    public init(_ name: String, initialValue: Double = 0) {
        self.name = name
        self.initialValue = initialValue
    }
}

extension Activation {
    public var unitParameters: [UnitParameter] { [] }
}
