import RecurrentCore

/// The matrix exponential of a skew-symmetric matrix: `W = exp(B)`, orthogonal.
///
/// Scratch memory is allocated once; a call allocates nothing on the device.
public final class SkewExponential {
    /// A method of computing the exponential.
    public enum Method: String, Sendable, CaseIterable {
        /// A Taylor polynomial of `B / 2^s`, squared s times: products only.
        case scalingAndSquaring = "scaling-and-squaring"
        /// The eigendecomposition `iB = V Λ V†`, with `exp(B) = V exp(-iΛ) V†`, as in the paper.
        case eigendecomposition
    }

    /// The number n of rows and columns of B and W.
    public let size: Int
    /// The method by which the exponential is computed.
    public let method: Method
    private let backend: any Backend
    private let taylor: (any MatrixProgramExecutor)?
    private let norm: ColumnNorm?
    /// The real and imaginary parts of the eigenvectors V, then those of `V exp(-iΛ)`.
    private let eigen: [MatrixView]
    private let eigenvalues: MatrixView?
    private let rotations: MatrixView?
    private let rotate: any Kernel

    /// Creates an exponential of matrices of one size, and allocates its scratch memory.
    ///
    /// - Parameters:
    ///   - size: the number n of rows and columns.
    ///   - backend: the backend that holds the matrices.
    ///   - method: the method by which the exponential is computed.
    /// - Throws: the backend's error if it can't allocate memory or compile a kernel.
    public init(size: Int, on backend: any Backend, method: Method = .scalingAndSquaring) throws {
        self.size = size
        self.method = method
        self.backend = backend
        let usesEigen = method == .eigendecomposition
        taylor =
            try usesEigen ? nil : backend.makeMatrixProgram(TaylorExponential.program(backend.scalarType), size: size)
        norm = try usesEigen ? ColumnNorm(size: size, on: backend) : nil
        eigen = try usesEigen ? (0..<4).map { _ in try backend.allocate(rows: size, columns: size) } : []
        eigenvalues = try usesEigen ? backend.allocate(rows: 1, columns: size) : nil
        rotations = try usesEigen ? backend.allocate(rows: 2, columns: size) : nil
        // P, Q, cos λ, sin λ → real and imaginary parts of V exp(-iΛ), where V = P + iQ.
        rotate = try backend.compile(
            PointwiseProgram(inputs: 4) { x, _ in [x[0] * x[2] + x[1] * x[3], x[1] * x[2] - x[0] * x[3]] })
    }

    /// Computes `W = exp(B)`.
    ///
    /// - Parameters:
    ///   - skew: B [n, n], packed.
    ///   - result: W [n, n]; may have a row stride.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the eigendecomposition
    ///   doesn't converge or B isn't finite.
    public func callAsFunction(_ skew: MatrixView, into result: MatrixView) throws {
        precondition(skew.rows == size && skew.columns == size && skew.isPacked)
        switch method {
        case .scalingAndSquaring:
            try taylor!.run(inputs: [skew], outputs: [result])
        case .eigendecomposition:
            guard norm!(skew).isFinite else { throw RecurrentError.skewNotFinite }
            let (p, q, x, y) = (eigen[0], eigen[1], eigen[2], eigen[3])
            backend.fill(p, with: 0)
            backend.copy(skew, to: q)
            try backend.hermitianEigen(real: p, imaginary: q, eigenvalues: eigenvalues!)
            let computed: [Double] = backend.download(eigenvalues!)
            // Eigenvalues come in pairs ±λ; pairs of unequal magnitude would leave an imaginary part.
            let values = zip(computed, computed.reversed()).map { ($0 - $1) / 2 }
            backend.upload(values.map(RealFunctions.cos) + values.map(RealFunctions.sin), to: rotations!)
            backend.run(
                rotate,
                inputs: [p, q] + (0..<2).map { rotations!.rows($0..<$0 + 1).broadcast(rows: size, columns: size) },
                outputs: [x, y])
            backend.gemm(x, p.transposed, into: result)
            backend.gemm(alpha: 1, y, q.transposed, beta: 1, result)
        }
    }
}
