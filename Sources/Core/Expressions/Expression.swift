/// A symbolic value: one number for each element of a matrix.
///
/// Cells, activations and optimizers are written over expressions. Nothing is
/// computed while an expression is built; the step compiler (for cells) and
/// ``PointwiseProgram`` (for everything else) turn it into straight-line code.
///
///     let softsign = x / (1 + abs(x))
public struct Expression: Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    final class Node: Sendable {
        let operation: Operation
        let operands: [Node]
        init(_ operation: Operation, _ operands: [Node]) {
            self.operation = operation
            self.operands = operands
        }
    }

    let node: Node

    init(_ operation: Operation, _ operands: Expression...) {
        assert(operands.count == operation.arity)
        node = Node(operation, operands.map(\.node))
    }

    /// A constant.
    public init(_ value: Double) { self.init(.constant(value)) }
    public init(floatLiteral value: Double) { self.init(.constant(value)) }
    public init(integerLiteral value: Int) { self.init(.constant(Double(value))) }

    /// A uniform random number in [0, 1), drawn from the counter-based generator
    /// by the element's position; the key is given when the program runs.
    public static var uniform: Expression { Expression(.uniform) }

    /// The element's column, counted from 0.
    public static var columnIndex: Expression { Expression(.columnIndex) }
}

extension Expression {
    public static func + (a: Expression, b: Expression) -> Expression { Expression(.add, a, b) }
    public static func - (a: Expression, b: Expression) -> Expression { Expression(.subtract, a, b) }
    public static func * (a: Expression, b: Expression) -> Expression { Expression(.multiply, a, b) }
    public static func / (a: Expression, b: Expression) -> Expression { Expression(.divide, a, b) }
    public static prefix func - (a: Expression) -> Expression { Expression(.negate, a) }

    /// 1 where `a > b`, else 0.
    public static func > (a: Expression, b: Expression) -> Expression { Expression(.greater, a, b) }
    /// 1 where `a < b`, else 0.
    public static func < (a: Expression, b: Expression) -> Expression { Expression(.greater, b, a) }
    /// 1 where `a == b`, else 0.
    public static func == (a: Expression, b: Expression) -> Expression { Expression(.equal, a, b) }
}

/// The magnitude of `x`; its derivative at 0 is 0.
public func abs(_ x: Expression) -> Expression { Expression(.absolute, x) }
/// -1, 0 or 1; its derivative is 0 everywhere.
public func sign(_ x: Expression) -> Expression { Expression(.sign, x) }
public func exp(_ x: Expression) -> Expression { Expression(.exp, x) }
/// The natural logarithm.
public func log(_ x: Expression) -> Expression { Expression(.log, x) }
public func sqrt(_ x: Expression) -> Expression { Expression(.sqrt, x) }
public func tanh(_ x: Expression) -> Expression { Expression(.tanh, x) }
/// The logistic function `1 / (1 + exp(-x))`.
public func sigmoid(_ x: Expression) -> Expression { Expression(.sigmoid, x) }
/// The larger of the two; at a tie one of the two gets the gradient.
public func max(_ a: Expression, _ b: Expression) -> Expression { Expression(.maximum, a, b) }
/// The smaller of the two; at a tie one of the two gets the gradient.
public func min(_ a: Expression, _ b: Expression) -> Expression { Expression(.minimum, a, b) }
/// `a` where `condition` isn't 0, else `b`; no gradient flows into `condition`.
public func select(_ condition: Expression, _ a: Expression, _ b: Expression) -> Expression {
    Expression(.select, condition, a, b)
}
