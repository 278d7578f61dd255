import RecurrentCore

/// One Newton–Schulz step towards the nearest orthogonal matrix, `W (3 I − Wᵀ W) / 2`,
/// which squares the deviation from orthogonality.
final class NewtonSchulz {
    private let backend: any Backend
    private let product: MatrixView

    init(size: Int, on backend: any Backend) throws {
        self.backend = backend
        product = try backend.allocate(rows: size, columns: size)
    }

    /// Writes the result of one step.
    ///
    /// - Parameters:
    ///   - weight: W [n, n].
    ///   - result: a matrix other than W, [n, n]; may have a row stride.
    func callAsFunction(_ weight: MatrixView, into result: MatrixView) {
        backend.gemm(weight.transposed, weight, into: product)
        backend.copy(weight, to: result)
        backend.gemm(alpha: -0.5, weight, product, beta: 1.5, result)
    }

    /// Adds the step to a matrix program.
    static func step(
        _ program: MatrixProgramBuilder, _ weight: MatrixProgramBuilder.Matrix, scratch: MatrixProgramBuilder.Matrix,
        into result: MatrixProgramBuilder.Matrix
    ) {
        program.product(weight.transposed, weight, into: scratch)
        program.product(weight, scratch, alpha: .constant(-0.5), plus: 1.5, weight, into: result)
    }
}
