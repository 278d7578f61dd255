import RecurrentCore

/// One Newton–Schulz step towards the nearest orthogonal or unitary matrix, `W (3 I − Wᴴ W) / 2`,
/// which squares the deviation.
final class NewtonSchulz {
    private let backend: any Backend
    private let field: WeightField
    private let product: MatrixView

    init(size: Int, _ field: WeightField = .real, on backend: any Backend) throws {
        (self.backend, self.field) = (backend, field)
        product = try backend.allocate(rows: field.rows(size: size), columns: size)
    }

    /// Writes the result of one step.
    ///
    /// - Parameters:
    ///   - weight: W [n, n], or stacked as [2n, n] if it is complex.
    ///   - result: a matrix other than W, in its shape; may have a row stride.
    func callAsFunction(_ weight: MatrixView, into result: MatrixView) {
        let (w, gram) = (FieldView(weight, field), FieldView(product, field))
        FieldView.multiply(w.adjoint, w, into: gram, on: backend)
        backend.copy(weight, to: result)
        FieldView.multiply(w, gram, alpha: -0.5, beta: 1.5, into: FieldView(result, field), on: backend)
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
