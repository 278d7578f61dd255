/// A symmetric or skew-symmetric matrix A [n, n] as `Q T Qᵀ` with Q orthogonal and T tridiagonal, found by Householder
/// reflections (Golub & Van Loan, *Matrix Computations*, Section 8.3).
struct Tridiagonal {
    /// The number n of rows and columns.
    let size: Int
    /// The elements `T[k][k]`.
    let diagonal: [Double]
    /// The elements `T[k + 1][k]`.
    let below: [Double]
    /// Qᵀ, row by row: row k is the basis vector to which T's row k belongs.
    let basis: [Double]

    /// Whether A is equal to its transpose or to the negative of it.
    enum Symmetry: Double {
        case symmetric = 1
        case skew = -1
    }

    /// Decomposes a matrix given row by row.
    init(_ matrix: [Double], size n: Int, _ symmetry: Symmetry) {
        size = n
        var a = matrix, reflectors: [(vector: [Double], beta: Double)] = []
        var below = [Double](repeating: 0, count: max(n - 1, 0))
        a.withUnsafeMutableBufferPointer { buffer in
            let a = buffer.baseAddress!
            for k in 0..<max(n - 1, 0) {
                // v spans columns k + 1 to n − 1, and (I − β v vᵀ) takes what is below the diagonal to a multiple of e₁.
                let m = n - k - 1
                var v = (0..<m).map { a[(k + 1 + $0) * n + k] }
                let length = Rows.dot(v, v).squareRoot()
                guard length > 0, k < n - 2 else {
                    below[k] = v[0]
                    reflectors.append(([], 0))
                    continue
                }
                below[k] = v[0] > 0 ? -length : length
                v[0] -= below[k]
                let beta = 2 / Rows.dot(v, v)
                var w = (0..<m).map { row in
                    v.withUnsafeBufferPointer { beta * Rows.dot(a + (k + 1 + row) * n + k + 1, $0.baseAddress!, m) }
                }
                let overlap = beta / 2 * Rows.dot(w, v)
                for i in 0..<m { w[i] -= overlap * v[i] }
                for i in 0..<m {
                    let row = a + (k + 1 + i) * n + k + 1
                    v.withUnsafeBufferPointer { Rows.add(-w[i], $0.baseAddress!, to: row, m) }
                    w.withUnsafeBufferPointer {
                        Rows.add(-symmetry.rawValue * v[i], $0.baseAddress!, to: row, m)
                    }
                }
                reflectors.append((v, beta))
            }
        }
        diagonal = (0..<n).map { symmetry == .symmetric ? a[$0 * n + $0] : 0 }
        self.below = below
        basis = Self.transposedProduct(reflectors, size: n)
    }

    /// Returns the transpose of the product of reflections, each of which acts on the last elements.
    private static func transposedProduct(_ reflectors: [(vector: [Double], beta: Double)], size n: Int) -> [Double] {
        var q = [Double](repeating: 0, count: n * n)
        for i in 0..<n { q[i * n + i] = 1 }
        q.withUnsafeMutableBufferPointer { buffer in
            let q = buffer.baseAddress!
            for (vector, beta) in reflectors.reversed() where beta > 0 {
                let m = vector.count, first = n - m
                var sums = [Double](repeating: 0, count: m)
                sums.withUnsafeMutableBufferPointer { sums in
                    let sums = sums.baseAddress!
                    for i in 0..<m { Rows.add(vector[i], q + (first + i) * n + first, to: sums, m) }
                    for i in 0..<m { Rows.add(-beta * vector[i], sums, to: q + (first + i) * n + first, m) }
                }
            }
        }
        return (0..<n * n).map { q[$0 % n * n + $0 / n] }
    }
}
