/// One scalar operation of a pointwise program.
///
/// The set is fixed and closed under differentiation: the derivative of every
/// operation consists of operations of this set, so a backend that implements these
/// can run every cell, activation, optimizer and dropout mask, and their gradients.
public enum PointwiseOperation: Hashable, Sendable {
    // No operands (leaves).
    /// The element of the program input with this index (a strided matrix view).
    case input(Int)
    /// The runtime scalar with this index: a number that is given at each run (a learning
    /// rate, a clipping bound).
    case scalar(Int)
    /// A number that is known when the program is built.
    case constant(Double)
    /// A uniform random number in [0, 1) from the counter-based generator, indexed by
    /// the element's position `row * columns + column`.
    case uniform
    /// The element's column, counted from 0.
    case columnIndex

    // One operand.
    /// The operand with the opposite sign.
    case negate
    /// The magnitude of the operand.
    case absolute
    /// The sign of the operand: -1, 0 or 1.
    case sign
    /// The exponential function.
    case exp
    /// The natural logarithm.
    case log
    /// The square root.
    case sqrt
    /// The hyperbolic tangent.
    case tanh
    /// The logistic function `1 / (1 + exp(-x))`.
    case sigmoid
    /// The sine of the operand in radians; NaN if it is infinite.
    case sin
    /// The cosine of the operand in radians; NaN if it is infinite.
    case cos
    /// The error function `2/√π ∫₀ˣ exp(-t²) dt`.
    case erf

    // Two operands.
    /// The sum of the operands.
    case add
    /// The first operand minus the second.
    case subtract
    /// The product of the operands.
    case multiply
    /// The first operand divided by the second.
    case divide
    /// The larger operand; NaN if one of them is.
    case maximum
    /// The smaller operand; NaN if one of them is.
    case minimum
    /// The number 1 where the first operand is greater than the second, else 0.
    case greater
    /// The number 1 where the operands are equal, else 0.
    case equal

    // Three operands.
    /// The second operand where the first isn't 0, else the third.
    case select

    // Only in a cell's equations; the step compiler turns it into a GEMM.
    /// The matrix–vector product of the weight with this index, as it is or transposed, and the operand.
    case product(Int, isTransposed: Bool = false)

    /// The number of operands that the operation takes.
    public var arity: Int {
        switch self {
        case .input, .scalar, .constant, .uniform, .columnIndex: 0
        case .negate, .absolute, .sign, .exp, .log, .sqrt, .tanh, .sigmoid, .sin, .cos, .erf, .product: 1
        case .add, .subtract, .multiply, .divide, .maximum, .minimum, .greater, .equal: 2
        case .select: 3
        }
    }

    /// Whether recomputing the result costs more than reading a saved one back.
    package var isTranscendental: Bool {
        switch self {
        case .exp, .log, .sqrt, .tanh, .sigmoid, .sin, .cos, .erf, .divide: true
        default: false
        }
    }

    /// Whether the operands can be exchanged.
    package var isCommutative: Bool {
        switch self {
        case .add, .multiply, .maximum, .minimum, .equal: true
        default: false
        }
    }

    /// Returns the operation's result in Double, which defines the operation for every backend.
    ///
    /// - Precondition: the operation is neither a leaf that needs a context (`input`,
    ///   `scalar`, `uniform`, `columnIndex`) nor a `product`.
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
        case .sin: RealFunctions.sin(a)
        case .cos: RealFunctions.cos(a)
        case .erf: RealFunctions.erf(a)
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
