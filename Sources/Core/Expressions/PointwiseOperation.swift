/// One scalar operation of a pointwise program.
///
/// The set is closed and closed under differentiation: the derivative of every
/// operation is written in operations of this set, so a backend that runs these
/// runs every cell, activation, optimizer and dropout mask, and their gradients.
public enum PointwiseOperation: Hashable, Sendable {
    // Leaves.
    /// The element of program input `index` (a strided matrix view).
    case input(Int)
    /// A number that is given at each run (a learning rate, a clipping bound).
    case scalar(Int)
    /// A number known when the program is built.
    case constant(Double)
    /// A uniform number in [0, 1) from the counter-based generator, indexed by
    /// the element's position `row * columns + column`.
    case uniform
    /// The element's column, counted from 0.
    case columnIndex

    // One operand.
    case negate, absolute, sign, exp, log, sqrt, tanh, sigmoid

    // Two operands.
    case add, subtract, multiply, divide, maximum, minimum
    /// 1 where the first operand is greater than the second, else 0.
    case greater
    /// 1 where the operands are equal, else 0.
    case equal

    // Three operands.
    /// The second operand where the first isn't 0, else the third.
    case select

    // Only in a cell's equations; the step compiler turns them into GEMMs.
    /// The product of weight `index` with the operand.
    case product(Int)

    /// How many operands the operation takes.
    public var arity: Int {
        switch self {
        case .input, .scalar, .constant, .uniform, .columnIndex: 0
        case .negate, .absolute, .sign, .exp, .log, .sqrt, .tanh, .sigmoid, .product: 1
        case .add, .subtract, .multiply, .divide, .maximum, .minimum, .greater, .equal: 2
        case .select: 3
        }
    }

    /// Whether recomputing it costs more than reading a saved result back.
    var isTranscendental: Bool {
        switch self {
        case .exp, .log, .sqrt, .tanh, .sigmoid, .divide: true
        default: false
        }
    }

    /// Whether the operands may change places.
    var isCommutative: Bool {
        switch self {
        case .add, .multiply, .maximum, .minimum, .equal: true
        default: false
        }
    }

    /// The operation on Doubles: the meaning that every backend must agree with.
    ///
    /// - Precondition: not a leaf that needs a context (`input`, `scalar`,
    ///   `uniform`, `columnIndex`) and not a `product`.
    @inlinable
    public func evaluate(_ a: Double, _ b: Double = 0, _ c: Double = 0) -> Double {
        switch self {
        case .constant(let value): value
        case .negate: -a
        case .absolute: a.magnitude
        case .sign: a > 0 ? 1 : (a < 0 ? -1 : 0)
        case .exp: RealFunctions.exp(a)
        case .log: RealFunctions.log(a)
        case .sqrt: a.squareRoot()
        case .tanh: RealFunctions.tanh(a)
        case .sigmoid: RealFunctions.sigmoid(a)
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .maximum: a > b ? a : (b.isNaN ? b : (a.isNaN ? a : b))
        case .minimum: a < b ? a : (b.isNaN ? b : (a.isNaN ? a : b))
        case .greater: a > b ? 1 : 0
        case .equal: a == b ? 1 : 0
        case .select: a != 0 ? b : c
        case .input, .scalar, .uniform, .columnIndex, .product:
            preconditionFailure("\(self) has no value of its own")
        }
    }
}
