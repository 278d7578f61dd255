import RecurrentCore

/// The logarithm `B = log W` of an orthogonal matrix: the skew matrix with `exp(B) = W` whose
/// rotation angles are below π.
///
/// The square root of W is the orthogonal polar factor of `I + W` (its eigenvalues
/// `1 + e^{iθ}` have the argument θ/2), found by Newton's iteration `X ← (X + X⁻ᵀ) / 2`
/// (Higham 1986). After k roots the angles are below `π 2^-k`, and the skew part of
/// the root, whose eigenvalues are `i sin θ`, gives them by a short series of arcsin.
public final class SkewLogarithm {
    private let backend: any Backend
    private let size: Int
    private let identity: MatrixView
    private let root: MatrixView
    private let inverse: MatrixView
    private let scratch: MatrixView
    private let norm: ColumnNorm
    private let polish: NewtonSchulz
    private let sum: any Kernel
    private let halves: any Kernel
    private let skewPart: any Kernel

    /// The coefficients of the odd powers up to 9 in arcsin x = x + x³/6 + 3x⁵/40 + ….
    private static let coefficients = [1.0, 1.0 / 6, 3.0 / 40, 15.0 / 336, 105.0 / 3456]

    /// Creates a logarithm of matrices of one size, and allocates its scratch memory.
    ///
    /// - Parameters:
    ///   - size: the number n of rows and columns.
    ///   - backend: the backend that holds the matrices.
    /// - Throws: the backend's error if it can't allocate memory or compile a kernel.
    public init(size: Int, on backend: any Backend) throws {
        self.backend = backend
        self.size = size
        func matrix() throws -> MatrixView { try backend.allocate(rows: size, columns: size) }
        identity = try backend.makeMatrix(
            (0..<size * size).map { $0 / size == $0 % size ? Float(1) : 0 }, rows: size, columns: size)
        (root, inverse, scratch) = (try matrix(), try matrix(), try matrix())
        norm = try ColumnNorm(size: size, on: backend)
        polish = try NewtonSchulz(size: size, on: backend)
        sum = try backend.compile(PointwiseProgram(inputs: 2, scalars: 1) { x, s in [x[0] + s[0] * x[1]] })
        halves = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [0.5 * (x[0] + x[1])] })
        skewPart = try backend.compile(PointwiseProgram(inputs: 2, scalars: 1) { x, s in [s[0] * (x[0] - x[1])] })
    }

    /// Computes `B = log W`.
    ///
    /// - Parameters:
    ///   - weight: W [n, n], orthogonal; may have a row stride.
    ///   - result: B [n, n], packed; exactly skew-symmetric.
    /// - Throws: ``RecurrentCore/RecurrentError/linearAlgebra(_:)`` if W has the eigenvalue −1, as every
    ///   W of determinant −1 has.
    public func callAsFunction(_ weight: MatrixView, into result: MatrixView) throws {
        let levels = backend.scalarType == .float64 ? 6 : 4
        backend.copy(weight, to: root)
        for _ in 0..<levels { try takeSquareRoot() }
        // The skew part S of the root, then B = 2^k (S c₀ − S³ c₁ + S⁵ c₂ − …) by Horner's rule in S².
        backend.run(skewPart, inputs: [root, root.transposed], outputs: [scratch], scalars: [0.5])
        backend.gemm(scratch, scratch, into: inverse)
        let scale = Double(1 << levels)
        backend.fill(root, with: 0)
        for (index, coefficient) in Self.coefficients.enumerated().reversed() {
            // The signs come from the powers of S: (i s)² = −s².
            let sign: Double = index % 2 == 0 ? 1 : -1
            backend.gemm(root, inverse, into: result)
            backend.run(sum, inputs: [result, identity], outputs: [root], scalars: [sign * coefficient])
        }
        backend.gemm(alpha: scale, scratch, root, beta: 0, inverse)
        backend.run(skewPart, inputs: [inverse, inverse.transposed], outputs: [result], scalars: [0.5])
    }

    /// Replaces `root` by the orthogonal polar factor of I + root.
    private func takeSquareRoot() throws {
        backend.run(sum, inputs: [identity, root], outputs: [root], scalars: [1])
        let tolerance = backend.scalarType == .float64 ? 1e-9 : 1e-3
        // For an angle of π − ε, convergence is quadratic only after about log₂(1/ε) steps.
        for _ in 0..<50 {
            backend.copy(root.transposed, to: scratch)
            backend.copy(identity, to: inverse)
            do { try backend.solve(scratch, inverse) } catch RecurrentError.linearAlgebra { throw Self.noLogarithm }
            backend.run(sum, inputs: [inverse, root], outputs: [scratch], scalars: [-1])
            let change = norm(scratch)
            guard change.isFinite else { throw Self.noLogarithm }
            backend.run(halves, inputs: [root, inverse], outputs: [root])
            if change <= tolerance {
                // The polish squares the remaining error once more.
                polish(root, into: scratch)
                return backend.copy(scratch, to: root)
            }
        }
        throw Self.noLogarithm
    }

    private static let noLogarithm = RecurrentError.linearAlgebra(
        "the orthogonal matrix has the eigenvalue −1 (a determinant of −1 implies it), so no skew B with exp(B) equal to it could be found"
    )
}
