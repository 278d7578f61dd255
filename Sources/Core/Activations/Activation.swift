/// A scalar function that a cell applies between its matrix products.
///
/// A new activation is one type with one expression, from which its derivative
/// follows. ``slopeBounds`` are the β and γ of the paper's theory
/// (Theorem 1): `β ≤ |σ'(x)| ≤ γ`.
public protocol Activation: Sendable {
    /// The activation's name on the command line, such as `leaky-relu`.
    var name: String { get }
    /// A one-line description for `cli list`.
    var summary: String { get }
    /// The activation's own parameters, each with one number per hidden unit; none by default.
    var unitParameters: [UnitParameter] { get }
    /// The bounds β...γ of the slope's magnitude, wherever a slope exists: those for all values of the unit parameters,
    /// or at their initial values if none are valid for all.
    var slopeBounds: ClosedRange<Double> { get }
    /// Returns the bounds β...γ of the slope's magnitude in all hidden units; by default, ``slopeBounds``.
    ///
    /// - Parameter parameters: for each of the ``unitParameters``, its finite values in the hidden units, [H].
    func slopeBounds(at parameters: [[Double]]) -> ClosedRange<Double>
    /// Returns the function's value as an expression.
    ///
    /// - Parameters:
    ///   - x: the argument.
    ///   - parameters: one expression for each of the ``unitParameters``, in their order.
    func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue
}

/// A parameter with one number per hidden unit.
public struct UnitParameter: Sendable {
    /// The parameter's name in equations and in saved models.
    public let name: String
    /// The value of every unit before training.
    public let initialValue: Double
    /// Creates a parameter that starts at the same value in every unit.
    public init(_ name: String, initialValue: Double = 0) {
        self.name = name
        self.initialValue = initialValue
    }
}

extension Activation {
    public var unitParameters: [UnitParameter] { [] }
    public func slopeBounds(at parameters: [[Double]]) -> ClosedRange<Double> { slopeBounds }

    /// Returns the bounds of the slope's magnitude at the values that a cell's vectors have, for
    /// ``RecurrentCell/slopeBounds(at:)``.
    ///
    /// - Parameter vectors: returns the values [H] of the vector with a name, which is that of a unit parameter.
    public func slopeBounds(atVectors vectors: (String) -> [Double]) -> ClosedRange<Double> {
        slopeBounds(at: unitParameters.map { vectors($0.name) })
    }
}
