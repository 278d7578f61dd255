/// A computation on square matrices [n, n] whose control flow depends on their norms, such
/// as the exponential, whose number of squarings does.
///
/// A program is plain data: matrices and scalars are numbered registers. A backend may run
/// it step by step, like ``DefaultMatrixProgram``, which defines its meaning, or as one
/// kernel that makes the decisions itself, so that the host need not wait for a norm. Use
/// ``MatrixProgramBuilder`` to write one.
public struct MatrixProgram: Hashable, Sendable {
    /// The number of matrices that are given at each run and only read: the first registers.
    public let inputCount: Int
    /// The number of matrices that are given at each run and written: the next registers.
    public let outputCount: Int
    /// The number of matrices that the program uses as scratch memory: the last registers.
    public let scratchCount: Int
    /// The number of scalar registers. They are in Double, or in the backend's precision if
    /// the backend computes them itself.
    public let scalarCount: Int
    /// The steps in the order of execution.
    public let steps: [MatrixStep]

    /// Creates a program from its steps.
    ///
    /// - Precondition: the steps use registers as ``MatrixStep`` requires; ``MatrixProgramBuilder``
    ///   ensures that.
    public init(inputCount: Int, outputCount: Int, scratchCount: Int, scalarCount: Int, steps: [MatrixStep]) {
        self.inputCount = inputCount
        self.outputCount = outputCount
        self.scratchCount = scratchCount
        self.scalarCount = scalarCount
        self.steps = steps
    }

    /// The number of all matrix registers.
    public var matrixCount: Int { inputCount + outputCount + scratchCount }
}

/// A matrix that a step reads.
public enum MatrixOperand: Hashable, Sendable {
    /// The matrix in a register, with rows and columns exchanged if `isTransposed`.
    case register(Int, isTransposed: Bool = false)
    /// The identity matrix; allowed only as an input of a pointwise program.
    case identity

    /// The operand with rows and columns exchanged.
    public var transposed: MatrixOperand {
        switch self {
        case .register(let number, let isTransposed): .register(number, isTransposed: !isTransposed)
        case .identity: .identity
        }
    }

    /// The register that is read; nil for the identity matrix.
    public var register: Int? { if case .register(let number, _) = self { number } else { nil } }
}

/// A number that a step reads.
public enum MatrixScalar: Hashable, Sendable {
    /// A number that is known when the program is written.
    case constant(Double)
    /// The number in a scalar register.
    case register(Int)
}

/// A condition on scalars, which holds if a program's only output isn't 0.
public struct MatrixCondition: Hashable, Sendable {
    /// The program over scalars, with one output.
    public let program: PointwiseProgram
    /// The scalar registers that are its inputs.
    public let inputs: [Int]
}

/// A step of a ``MatrixProgram``; all its matrices have the same size.
public indirect enum MatrixStep: Hashable, Sendable {
    /// Computes `result ← alpha · a · b + beta · addend`, or only the product if there is no
    /// addend. The addend may be the result; the factors may not.
    case product(alpha: MatrixScalar, a: MatrixOperand, b: MatrixOperand, beta: MatrixScalar, addend: Int?, result: Int)
    /// Runs a pointwise program without random numbers. An output may be an input that isn't
    /// transposed.
    case pointwise(PointwiseProgram, inputs: [MatrixOperand], scalars: [MatrixScalar], outputs: [Int])
    /// Exchanges two scratch matrices; no element moves.
    case exchange(Int, Int)
    /// Sets a scalar to `‖matrix‖₁`, the largest sum of the magnitudes in a column; infinite if
    /// an element isn't finite.
    case norm(matrix: Int, result: Int)
    /// Runs a pointwise program on scalars. All inputs are read before an output is written.
    case scalars(PointwiseProgram, inputs: [Int], outputs: [Int])
    /// Runs the first list of steps if the condition holds, else the second.
    case branch(MatrixCondition, then: [MatrixStep], otherwise: [MatrixStep])
    /// Repeats steps while the condition holds, at most the given number of times.
    case loop(atMost: Int, while: MatrixCondition, [MatrixStep])
    /// Ends the program if the scalar isn't finite: with ``RecurrentError/linearAlgebra(_:)`` or,
    /// if the host doesn't wait for the backend, with outputs that are NaN.
    case requireFinite(Int, message: String)
}

/// A ``MatrixProgram`` that is ready to run, with its scratch memory.
public protocol MatrixProgramExecutor: AnyObject {
    /// Runs the program on the given matrices.
    ///
    /// - Parameters:
    ///   - inputs: the matrices to read, [n, n] with `columnStride` 1.
    ///   - outputs: the matrices to write, [n, n] with `columnStride` 1; none overlaps another
    ///     output or an input.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if a number that the program requires to
    ///   be finite isn't, and the backend knows that at once.
    func run(inputs: [MatrixView], outputs: [MatrixView]) throws
}
