/// A computation over square matrices [n, n] whose course depends on their norms: the
/// exponential, say, whose number of squarings does.
///
/// Plain data: matrices and scalars are numbered registers. A backend may run it step by
/// step (``DefaultMatrixProgram`` is its meaning) or as one kernel that decides for
/// itself, so that the host need not wait for a norm. ``MatrixProgramBuilder`` writes one.
public struct MatrixProgram: Hashable, Sendable {
    /// Registers `0 ..< inputCount` are matrices given at each run, which are only read.
    public let inputCount: Int
    /// The next registers are matrices given at each run, to be written.
    public let outputCount: Int
    /// The registers after them are the program's own.
    public let scratchCount: Int
    /// Numbers in Double, or in the backend's own precision where it computes them itself.
    public let scalarCount: Int
    /// What is done, in this order.
    public let steps: [MatrixStep]

    /// - Precondition: registers are named as ``MatrixStep`` wants them; ``MatrixProgramBuilder``
    ///   sees to that.
    public init(inputCount: Int, outputCount: Int, scratchCount: Int, scalarCount: Int, steps: [MatrixStep]) {
        self.inputCount = inputCount
        self.outputCount = outputCount
        self.scratchCount = scratchCount
        self.scalarCount = scalarCount
        self.steps = steps
    }

    /// All matrix registers.
    public var matrixCount: Int { inputCount + outputCount + scratchCount }
}

/// A matrix that a step reads.
public enum MatrixOperand: Hashable, Sendable {
    case register(Int, isTransposed: Bool = false)
    /// The unit matrix; only of pointwise programs.
    case identity

    /// The same with rows and columns exchanged.
    public var transposed: MatrixOperand {
        switch self {
        case .register(let number, let isTransposed): .register(number, isTransposed: !isTransposed)
        case .identity: .identity
        }
    }

    /// The register that is read.
    public var register: Int? { if case .register(let number, _) = self { number } else { nil } }
}

/// A number that a step reads.
public enum MatrixScalar: Hashable, Sendable {
    case constant(Double)
    case register(Int)
}

/// Whether a program of scalars, with one output, gives anything but 0.
public struct MatrixCondition: Hashable, Sendable {
    /// Of scalars, with one output.
    public let program: PointwiseProgram
    /// The scalar registers that are its inputs.
    public let inputs: [Int]
}

/// A step of a ``MatrixProgram``; all its matrices have the same size.
public indirect enum MatrixStep: Hashable, Sendable {
    /// `result ← alpha · a · b + beta · addend`; without an addend only the product. The
    /// addend may be the result, the factors may not.
    case product(alpha: MatrixScalar, a: MatrixOperand, b: MatrixOperand, beta: MatrixScalar, addend: Int?, result: Int)
    /// A pointwise program without random numbers. An output may be an input that isn't transposed.
    case pointwise(PointwiseProgram, inputs: [MatrixOperand], scalars: [MatrixScalar], outputs: [Int])
    /// Exchanges two scratch matrices; no element moves.
    case exchange(Int, Int)
    /// The scalar becomes `‖matrix‖₁`, the largest sum of magnitudes of a column; infinite if
    /// an element isn't finite.
    case norm(matrix: Int, result: Int)
    /// A pointwise program over scalars. All inputs are read before an output is written.
    case scalars(PointwiseProgram, inputs: [Int], outputs: [Int])
    /// One of two lists of steps.
    case branch(MatrixCondition, then: [MatrixStep], otherwise: [MatrixStep])
    /// Repeats steps while the condition holds, and at most so often.
    case loop(atMost: Int, while: MatrixCondition, [MatrixStep])
    /// Ends the program if the scalar isn't finite: with ``RecurrentError/linearAlgebra(_:)``, or,
    /// on a backend that doesn't wait for itself, with outputs that hold no number.
    case requireFinite(Int, message: String)
}

/// A ``MatrixProgram`` that is ready to run, with memory of its own.
public protocol MatrixProgramExecutor: AnyObject {
    /// - Parameters:
    ///   - inputs: [n, n] with `columnStride` 1.
    ///   - outputs: the same; none overlaps another view.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` where the program requires a finite
    ///   number and the backend knows at once that it isn't.
    func run(inputs: [MatrixView], outputs: [MatrixView]) throws
}
