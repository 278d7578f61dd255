import RecurrentCore

/// A complex matrix on a backend, whose real and imaginary part lie anywhere.
struct ComplexView {
    let real: MatrixView
    let imaginary: MatrixView
    /// −1 if the imaginary part is meant with the opposite sign.
    private var sign = 1.0

    init(real: MatrixView, imaginary: MatrixView) { (self.real, self.imaginary) = (real, imaginary) }

    /// Takes [A; S] of [2n, m] as the complex matrix `A + iS` [n, m].
    init(_ stacked: MatrixView) {
        let n = stacked.rows / 2
        self.init(real: stacked.rows(0..<n), imaginary: stacked.rows(n..<2 * n))
    }

    /// The conjugate of the transposed matrix.
    var adjoint: ComplexView {
        var result = ComplexView(real: real.transposed, imaginary: imaginary.transposed)
        result.sign = -sign
        return result
    }

    /// Computes `result ← alpha · a · b + beta · result` with four products of real matrices.
    static func multiply(
        _ a: ComplexView, _ b: ComplexView, alpha: Double = 1, beta: Double = 0, into result: ComplexView,
        on backend: any Backend
    ) {
        backend.gemm(alpha: alpha, a.real, b.real, beta: beta, result.real)
        backend.gemm(alpha: -alpha * a.sign * b.sign, a.imaginary, b.imaginary, beta: 1, result.real)
        backend.gemm(alpha: alpha * b.sign, a.real, b.imaginary, beta: beta, result.imaginary)
        backend.gemm(alpha: alpha * a.sign, a.imaginary, b.real, beta: 1, result.imaginary)
    }
}
