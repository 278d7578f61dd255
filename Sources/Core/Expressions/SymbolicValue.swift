/// A symbolic value: one number for each element of a matrix.
///
/// Cells, activations and optimizers are written with these expressions. Nothing is
/// computed while an expression is built; the step compiler (for cells) and
/// ``PointwiseProgram`` (for everything else) turn it into straight-line code.
///
///     let softsign = x / (1 + abs(x))
public struct SymbolicValue: Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    final class Node: Sendable {
        let operation: PointwiseOperation
        /// Only `deinit` writes it, and only to a node to which nothing else refers.
        private(set) nonisolated(unsafe) var operands: [Node]
        init(_ operation: PointwiseOperation, _ operands: [Node]) {
            self.operation = operation
            self.operands = operands
        }

        // Operands that nothing else uses are released in a loop. By itself, each would be released
        // from within the release of its user, and a long chain would overflow the call stack.
        deinit {
            var pending = operands
            operands = []
            while var node = pending.popLast() {
                guard isKnownUniquelyReferenced(&node) else { continue }
                pending += node.operands
                node.operands = []
            }
        }
    }

    let node: Node

    init(_ operation: PointwiseOperation, _ operands: SymbolicValue...) {
        assert(operands.count == operation.arity)
        node = Node(operation, operands.map(\.node))
    }

    /// Creates a constant.
    public init(_ value: Double) { self.init(.constant(value)) }
    public init(floatLiteral value: Double) { self.init(.constant(value)) }
    public init(integerLiteral value: Int) { self.init(.constant(Double(value))) }

    /// A uniform random number in [0, 1) that the counter-based generator draws by the
    /// element's position; the key is given when the program runs.
    public static var uniform: SymbolicValue { SymbolicValue(.uniform) }

    /// The element's column, counted from 0.
    public static var columnIndex: SymbolicValue { SymbolicValue(.columnIndex) }
}

extension SymbolicValue {
    /// Returns the sum of two values.
    public static func + (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.add, a, b) }
    /// Returns the difference of two values.
    public static func - (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.subtract, a, b) }
    /// Returns the elementwise product of two values.
    public static func * (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.multiply, a, b) }
    /// Returns the elementwise quotient of two values.
    public static func / (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.divide, a, b) }
    /// Returns the value with the opposite sign.
    public static prefix func - (a: SymbolicValue) -> SymbolicValue { SymbolicValue(.negate, a) }

    /// Returns 1 where `a > b`, else 0.
    public static func > (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.greater, a, b) }
    /// Returns 1 where `a < b`, else 0.
    public static func < (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.greater, b, a) }
    /// Returns 1 where `a == b`, else 0.
    public static func == (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.equal, a, b) }
}

/// Returns the magnitude of `x`; its derivative at 0 is 0.
public func abs(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.absolute, x) }
/// Returns the sign of `x`: -1, 0 or 1; its derivative is 0 everywhere.
public func sign(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.sign, x) }
/// Returns the exponential of `x`.
public func exp(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.exp, x) }
/// Returns the natural logarithm of `x`.
public func log(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.log, x) }
/// Returns the square root of `x`.
public func sqrt(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.sqrt, x) }
/// Returns the hyperbolic tangent of `x`.
public func tanh(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.tanh, x) }
/// Returns the logistic function of `x`, `1 / (1 + exp(-x))`.
public func sigmoid(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.sigmoid, x) }
/// Returns the sine of `x` in radians.
public func sin(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.sin, x) }
/// Returns the cosine of `x` in radians.
public func cos(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.cos, x) }
/// Returns the error function of `x`, `2/√π ∫₀ˣ exp(-t²) dt`.
public func erf(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.erf, x) }
/// Returns the larger of two values; at a tie, one of them gets the whole gradient.
public func max(_ a: SymbolicValue, _ b: SymbolicValue) -> SymbolicValue { SymbolicValue(.maximum, a, b) }
/// Returns the smaller of two values; at a tie, one of them gets the whole gradient.
public func min(_ a: SymbolicValue, _ b: SymbolicValue) -> SymbolicValue { SymbolicValue(.minimum, a, b) }
/// Returns `a` where `condition` isn't 0, else `b`; no gradient flows into `condition`.
public func select(_ condition: SymbolicValue, _ a: SymbolicValue, _ b: SymbolicValue) -> SymbolicValue {
    SymbolicValue(.select, condition, a, b)
}
