import RecurrentCore

/// Products of complex matrices [n, n] with a diagonal of phases `exp(iθ)`, and the gradient of θ.
struct PhaseDiagonal {
    private let backend: any Backend
    private let rotate: any Kernel, turn: any Kernel

    init(on backend: any Backend) throws {
        self.backend = backend
        // (a + ib)(c ± is)
        rotate = try backend.compile(
            PointwiseProgram(inputs: 4, scalars: 1) { x, sign in
                [x[0] * x[2] - sign[0] * x[1] * x[3], x[1] * x[2] + sign[0] * x[0] * x[3]]
            })
        turn = try backend.compile(PointwiseProgram(inputs: 4) { x, _ in [x[1] * x[2] - x[0] * x[3]] })
    }

    /// Multiplies each element by a phase.
    ///
    /// - Parameters:
    ///   - matrix: the complex matrix, stacked as [2n, n].
    ///   - phases: cos θ and sin θ for each element, [n, n] each.
    ///   - conjugate: whether to multiply by `exp(−iθ)` instead.
    ///   - result: where the product is written; another matrix [2n, n].
    func callAsFunction(
        _ matrix: MatrixView, _ phases: [MatrixView], conjugate: Bool = false, into result: MatrixView
    ) {
        let (x, y) = (ComplexView(matrix), ComplexView(result))
        backend.run(
            rotate, inputs: [x.real, x.imaginary] + phases, outputs: [y.real, y.imaginary],
            scalars: [conjugate ? -1 : 1])
    }

    /// Writes what turning each element of a product by a small angle does to the loss, [n, n], for sums over rows or
    /// columns.
    ///
    /// - Parameters:
    ///   - gradient: the gradient of the product, stacked as [2n, n].
    ///   - product: the product, stacked as [2n, n].
    ///   - result: where the slopes are written, [n, n].
    func slopes(_ gradient: MatrixView, _ product: MatrixView, into result: MatrixView) {
        let (g, x) = (ComplexView(gradient), ComplexView(product))
        backend.run(turn, inputs: [g.real, g.imaginary, x.real, x.imaginary], outputs: [result])
    }
}
