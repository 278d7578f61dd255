import RecurrentCore

/// The eigendecomposition of a symmetric matrix on the host, in Double whatever the backend's precision, by the
/// implicit QL iteration on its tridiagonal form (Golub & Van Loan, *Matrix Computations*, Section 8.3).
struct SymmetricEigen {
    /// The eigenvalues in ascending order.
    let values: [Double]
    /// The eigenvectors, row by row, in the order of the eigenvalues.
    let vectors: [Double]

    /// Decomposes a matrix [n, n] given row by row.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/linearAlgebra(_:)`` if it doesn't converge.
    init(_ matrix: [Double], size n: Int) throws {
        let tridiagonal = Tridiagonal(matrix, size: n, .symmetric)
        var d = tridiagonal.diagonal, e = tridiagonal.below + [0], z = tridiagonal.basis
        let scale = zip(d, e).reduce(0) { max($0, abs($1.0), abs($1.1)) }
        let negligible = scale * 0x1p-53
        try z.withUnsafeMutableBufferPointer { z in
            let z = z.baseAddress!
            for l in 0..<n {
                var sweeps = 0
                while true {
                    let m = (l..<n - 1).first { abs(e[$0]) <= negligible } ?? n - 1
                    if m == l { break }
                    sweeps += 1
                    guard sweeps <= 60 else {
                        throw RecurrentError.linearAlgebra("the \(n) × \(n) eigendecomposition did not converge")
                    }
                    Self.sweep(&d, &e, z, from: l, to: m, size: n)
                }
            }
        }
        let order = (0..<n).sorted { d[$0] < d[$1] }
        values = order.map { d[$0] }
        vectors = order.flatMap { z[$0 * n..<($0 + 1) * n] }
    }

    /// Performs an implicit QL step on rows l to m, with Wilkinson's shift.
    private static func sweep(
        _ d: inout [Double], _ e: inout [Double], _ z: Rows.MutableRow, from l: Int, to m: Int, size n: Int
    ) {
        var g = (d[l + 1] - d[l]) / (2 * e[l])
        let radius = (g * g + 1).squareRoot()
        g = d[m] - d[l] + e[l] / (g + (g >= 0 ? radius : -radius))
        var (s, c, p) = (1.0, 1.0, 0.0)
        for i in (l..<m).reversed() {
            let f = s * e[i], b = c * e[i]
            let r = (f * f + g * g).squareRoot()
            e[i + 1] = r
            if r == 0 {
                d[i + 1] -= p
                e[m] = 0
                return
            }
            (s, c) = (f / r, g / r)
            g = d[i + 1] - p
            let t = (d[i] - g) * s + 2 * c * b
            p = s * t
            d[i + 1] = g + p
            g = c * t - b
            Rows.rotate(z + i * n, z + (i + 1) * n, cosine: c, sine: s, n)
        }
        d[l] -= p
        e[l] = g
        e[m] = 0
    }
}
