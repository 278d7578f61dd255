import RecurrentCore

/// The product `G Wᵀ − W Gᵀ`: the gradient of the loss at `W` along the skew directions
/// (Plumbley 2004), exactly skew-symmetric.
final class SkewProduct {
    private let backend: any Backend
    private let antisymmetrize: any Kernel
    private let product: MatrixView

    init(size: Int, on backend: any Backend) throws {
        self.backend = backend
        antisymmetrize = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [x[0] - x[1]] })
        product = try backend.allocate(rows: size, columns: size)
    }

    /// Computes `result ← scale · (A B − (A B)ᵀ)`.
    func callAsFunction(_ a: MatrixView, _ b: MatrixView, into result: MatrixView, scale: Double = 1) {
        backend.gemm(alpha: scale, a, b, beta: 0, product)
        backend.run(antisymmetrize, inputs: [product, product.transposed], outputs: [result])
    }
}
