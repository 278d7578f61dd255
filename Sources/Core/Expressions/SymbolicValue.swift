/// A symbolic value: one number for each element of a matrix.
///
/// Cells, activations and optimizers are written over expressions. Nothing is
/// computed while an expression is built; the step compiler (for cells) and
/// ``PointwiseProgram`` (for everything else) turn it into straight-line code.
///
///     let softsign = x / (1 + abs(x))
public struct SymbolicValue: Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    final class Node: Sendable {
        let operation: PointwiseOperation
        let operands: [Node]
        init(_ operation: PointwiseOperation, _ operands: [Node]) {
            self.operation = operation
            self.operands = operands
        }
    }

    let node: Node

    init(_ operation: PointwiseOperation, _ operands: SymbolicValue...) {
        assert(operands.count == operation.arity)
        node = Node(operation, operands.map(\.node))
    }

    /// A constant.
    public init(_ value: Double) { self.init(.constant(value)) }
    public init(floatLiteral value: Double) { self.init(.constant(value)) }
    public init(integerLiteral value: Int) { self.init(.constant(Double(value))) }

    /// A uniform random number in [0, 1), drawn from the counter-based generator
    /// by the element's position; the key is given when the program runs.
    public static var uniform: SymbolicValue { SymbolicValue(.uniform) }

    /// The element's column, counted from 0.
    public static var columnIndex: SymbolicValue { SymbolicValue(.columnIndex) }
}

extension SymbolicValue {
    public static func + (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.add, a, b) }
    public static func - (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.subtract, a, b) }
    public static func * (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.multiply, a, b) }
    public static func / (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.divide, a, b) }
    public static prefix func - (a: SymbolicValue) -> SymbolicValue { SymbolicValue(.negate, a) }

    /// 1 where `a > b`, else 0.
    public static func > (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.greater, a, b) }
    /// 1 where `a < b`, else 0.
    public static func < (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.greater, b, a) }
    /// 1 where `a == b`, else 0.
    public static func == (a: SymbolicValue, b: SymbolicValue) -> SymbolicValue { SymbolicValue(.equal, a, b) }
}

/// The magnitude of `x`; its derivative at 0 is 0.
public func abs(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.absolute, x) }
/// -1, 0 or 1; its derivative is 0 everywhere.
public func sign(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.sign, x) }
public func exp(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.exp, x) }
/// The natural logarithm.
public func log(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.log, x) }
public func sqrt(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.sqrt, x) }
public func tanh(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.tanh, x) }
/// The logistic function `1 / (1 + exp(-x))`.
public func sigmoid(_ x: SymbolicValue) -> SymbolicValue { SymbolicValue(.sigmoid, x) }
/// The larger of the two; at a tie one of the two gets the gradient.
public func max(_ a: SymbolicValue, _ b: SymbolicValue) -> SymbolicValue { SymbolicValue(.maximum, a, b) }
/// The smaller of the two; at a tie one of the two gets the gradient.
public func min(_ a: SymbolicValue, _ b: SymbolicValue) -> SymbolicValue { SymbolicValue(.minimum, a, b) }
/// `a` where `condition` isn't 0, else `b`; no gradient flows into `condition`.
public func select(_ condition: SymbolicValue, _ a: SymbolicValue, _ b: SymbolicValue) -> SymbolicValue {
    SymbolicValue(.select, condition, a, b)
}
