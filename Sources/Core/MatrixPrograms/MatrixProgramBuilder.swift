/// A builder that records the steps of a ``MatrixProgram``.
///
///     let squareUntilSmall = MatrixProgramBuilder(inputs: 1, outputs: 1).program { p in
///         let square = p.matrix(), norm = p.scalar()
///         p.product(p.inputs[0], p.inputs[0], into: square)
///         p.norm(square, into: norm)
///         …
///     }
public final class MatrixProgramBuilder {
    /// A matrix register.
    public struct Matrix: Sendable {
        let number: Int
        let isTransposed: Bool
        /// The matrix, read with rows and columns exchanged.
        public var transposed: Matrix { Matrix(number: number, isTransposed: !isTransposed) }
        var operand: MatrixOperand { .register(number, isTransposed: isTransposed) }
        /// The register's number.
        ///
        /// - Precondition: the matrix isn't transposed.
        var plain: Int {
            precondition(!isTransposed, "a transposed matrix can only be read")
            return number
        }
    }

    /// A scalar register; its initial value is 0.
    public struct Scalar: Sendable { let number: Int }

    /// The matrices that are given at each run and only read.
    public let inputs: [Matrix]
    /// The matrices that are given at each run and written.
    public let outputs: [Matrix]
    private var scratchCount = 0
    private var scalarCount = 0
    private var steps: [MatrixStep] = []

    /// Creates a builder of a program with these numbers of input and output matrices, all of
    /// the same size [n, n].
    public init(inputs: Int, outputs: Int) {
        self.inputs = (0..<inputs).map { Matrix(number: $0, isTransposed: false) }
        self.outputs = (inputs..<inputs + outputs).map { Matrix(number: $0, isTransposed: false) }
    }

    /// Returns the program whose steps `body` records.
    public func program(_ body: (MatrixProgramBuilder) -> Void) -> MatrixProgram {
        let steps = list { body(self) }
        return MatrixProgram(
            inputCount: inputs.count, outputCount: outputs.count, scratchCount: scratchCount, scalarCount: scalarCount,
            steps: steps)
    }

    /// Adds a scratch matrix, whose initial elements are undefined.
    public func matrix() -> Matrix {
        scratchCount += 1
        return Matrix(number: inputs.count + outputs.count + scratchCount - 1, isTransposed: false)
    }

    /// Adds a scalar, whose initial value is 0.
    public func scalar() -> Scalar {
        scalarCount += 1
        return Scalar(number: scalarCount - 1)
    }

    private func list(_ body: () -> Void) -> [MatrixStep] {
        let before = steps
        steps = []
        body()
        defer { steps = before }
        return steps
    }

    private func isInput(_ number: Int) -> Bool { number < inputs.count }

    /// Computes `result ← alpha · a · b`.
    public func product(_ a: Matrix, _ b: Matrix, alpha: MatrixScalar = .constant(1), into result: Matrix) {
        product(a, b, alpha: alpha, beta: .constant(0), addend: nil, into: result)
    }

    /// Computes `result ← alpha · a · b + beta · addend`.
    public func product(
        _ a: Matrix, _ b: Matrix, alpha: MatrixScalar = .constant(1), plus beta: Double, _ addend: Matrix,
        into result: Matrix
    ) {
        product(a, b, alpha: alpha, beta: .constant(beta), addend: addend.plain, into: result)
    }

    private func product(
        _ a: Matrix, _ b: Matrix, alpha: MatrixScalar, beta: MatrixScalar, addend: Int?, into result: Matrix
    ) {
        let number = result.plain
        precondition(
            number != a.number && number != b.number && !isInput(number),
            "a product can't overwrite a factor or an input")
        steps.append(.product(alpha: alpha, a: a.operand, b: b.operand, beta: beta, addend: addend, result: number))
    }

    /// Runs a pointwise program over every element.
    public func run(
        _ program: PointwiseProgram, _ inputs: [Matrix], scalars: [MatrixScalar] = [], into outputs: [Matrix]
    ) {
        run(program, operands: inputs.map(\.operand), scalars: scalars, into: outputs)
    }

    /// Runs a pointwise program whose first input is the identity matrix.
    public func run(
        _ program: PointwiseProgram, identityAnd inputs: [Matrix], scalars: [MatrixScalar] = [], into outputs: [Matrix]
    ) {
        run(program, operands: [.identity] + inputs.map(\.operand), scalars: scalars, into: outputs)
    }

    private func run(
        _ program: PointwiseProgram, operands: [MatrixOperand], scalars: [MatrixScalar], into outputs: [Matrix]
    ) {
        precondition(
            program.inputCount == operands.count && program.scalarCount == scalars.count && !program.usesRandomNumbers,
            "the pointwise program has other inputs or scalars, or draws random numbers")
        precondition(
            program.outputs.count == outputs.count && !outputs.contains { isInput($0.plain) },
            "a pointwise program writes as many matrices as it has outputs, and no input")
        precondition(
            operands.allSatisfy { operand in
                guard case .register(let number, true) = operand else { return true }
                return !outputs.contains { $0.number == number }
            }, "an output of a pointwise program can't be read transposed")
        steps.append(.pointwise(program, inputs: operands, scalars: scalars, outputs: outputs.map(\.plain)))
    }

    /// Exchanges two scratch matrices.
    public func exchange(_ a: Matrix, _ b: Matrix) {
        let first = inputs.count + outputs.count
        precondition(a.plain >= first && b.plain >= first, "only scratch matrices can be exchanged")
        steps.append(.exchange(a.number, b.number))
    }

    /// Computes `result ← ‖matrix‖₁`, the largest sum of the magnitudes in a column.
    public func norm(_ matrix: Matrix, into result: Scalar) {
        steps.append(.norm(matrix: matrix.plain, result: result.number))
    }

    /// Computes scalars from other scalars; there is one equation per output.
    public func compute(
        _ outputs: [Scalar], from inputs: [Scalar] = [], _ equations: ([SymbolicValue]) -> [SymbolicValue]
    ) {
        let program = PointwiseProgram(inputs: inputs.count) { x, _ in equations(x) }
        precondition(
            program.outputs.count == outputs.count && !program.usesRandomNumbers,
            "there must be one equation per scalar, and no random numbers")
        steps.append(.scalars(program, inputs: inputs.map(\.number), outputs: outputs.map(\.number)))
    }

    private func condition(_ inputs: [Scalar], _ equation: ([SymbolicValue]) -> SymbolicValue) -> MatrixCondition {
        MatrixCondition(
            program: PointwiseProgram(inputs: inputs.count) { x, _ in [equation(x)] }, inputs: inputs.map(\.number))
    }

    /// Runs the steps of `then` where the equation doesn't give 0, else those of `otherwise`.
    public func branch(
        on inputs: [Scalar], _ equation: ([SymbolicValue]) -> SymbolicValue, then: () -> Void,
        otherwise: () -> Void = {}
    ) {
        let condition = condition(inputs, equation)
        steps.append(.branch(condition, then: list(then), otherwise: list(otherwise)))
    }

    /// Repeats the steps of `body` while the equation doesn't give 0, at most `most` times.
    public func loop(
        atMost most: Int, while inputs: [Scalar], _ equation: ([SymbolicValue]) -> SymbolicValue, _ body: () -> Void
    ) {
        let condition = condition(inputs, equation)
        steps.append(.loop(atMost: most, while: condition, list(body)))
    }

    /// Ends the program with this message unless the scalar is finite; see
    /// ``MatrixStep/requireFinite(_:message:)``.
    public func require(finite scalar: Scalar, orElse message: String) {
        steps.append(.requireFinite(scalar.number, message: message))
    }
}

extension MatrixScalar {
    /// Returns an operand that reads the value of `scalar`.
    public static func value(of scalar: MatrixProgramBuilder.Scalar) -> MatrixScalar { .register(scalar.number) }
}
