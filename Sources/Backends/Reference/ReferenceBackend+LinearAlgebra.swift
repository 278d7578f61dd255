import RecurrentCore

extension ReferenceBackend {
    /// Solves `A · X = B` by LU decomposition with partial pivoting; X replaces B, and A is destroyed.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if A is singular.
    public func solve(_ a: MatrixView, _ b: MatrixView) throws {
        precondition(a.rows == a.columns && a.rows == b.rows)
        let n = a.rows, matrix = Strided(a), right = Strided(b)
        for k in 0..<n {
            var pivot = k
            for r in k + 1..<max(n, k + 1) where matrix[r, k].magnitude > matrix[pivot, k].magnitude { pivot = r }
            guard matrix[pivot, k].magnitude > 0 else {
                throw RecurrentError.linearAlgebra("solve: the \(n) × \(n) matrix is singular")
            }
            if pivot != k {
                for c in 0..<n { (matrix[k, c], matrix[pivot, c]) = (matrix[pivot, c], matrix[k, c]) }
                for c in 0..<b.columns { (right[k, c], right[pivot, c]) = (right[pivot, c], right[k, c]) }
            }
            for r in k + 1..<max(n, k + 1) {
                let factor = matrix[r, k] / matrix[k, k]
                if factor == 0 { continue }
                for c in k + 1..<max(n, k + 1) { matrix[r, c] -= factor * matrix[k, c] }
                for c in 0..<b.columns { right[r, c] -= factor * right[k, c] }
            }
        }
        for k in (0..<n).reversed() {
            for c in 0..<b.columns { right[k, c] /= matrix[k, k] }
            for r in 0..<k {
                let factor = matrix[r, k]
                for c in 0..<b.columns { right[r, c] -= factor * right[k, c] }
            }
        }
    }

    /// Finds the eigendecomposition by cyclic complex Jacobi rotations (Golub & Van Loan, Section 8.5).
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if it doesn't converge in 60 sweeps.
    public func hermitianEigen(real: MatrixView, imaginary: MatrixView, eigenvalues: MatrixView) throws {
        let n = real.rows
        precondition(real.columns == n && imaginary.rows == n && imaginary.columns == n && eigenvalues.columns == n)
        let re = Strided(real), im = Strided(imaginary), values = Strided(eigenvalues)
        var a = ComplexMatrix(n), v = ComplexMatrix(n)
        for i in 0..<n {
            v.re[i * n + i] = 1
            for j in 0..<n {
                a.re[i * n + j] = (re[i, j] + re[j, i]) / 2
                a.im[i * n + j] = (im[i, j] - im[j, i]) / 2
            }
        }
        var sweeps = 0
        var before = Double.infinity
        while true {
            let off = a.offDiagonalNorm, norm = a.norm
            // The last sweeps converge quadratically until they reach the rounding error,
            // which grows with n; from there on they no longer help.
            if off <= 1e-15 * norm || (off <= 1e-12 * norm && off > before / 2) { break }
            before = off
            sweeps += 1
            guard sweeps <= 60, off.isFinite else {
                throw RecurrentError.linearAlgebra("the \(n) × \(n) eigendecomposition did not converge")
            }
            for p in 0..<n - 1 { for q in p + 1..<n { Self.rotate(&a, &v, p, q) } }
        }
        let order = (0..<n).sorted { a.re[$0 * n + $0] < a.re[$1 * n + $1] }
        for (column, source) in order.enumerated() {
            values[0, column] = a.re[source * n + source]
            for i in 0..<n {
                re[i, column] = v.re[i * n + source]
                im[i, column] = v.im[i * n + source]
            }
        }
    }

    private struct ComplexMatrix {
        let n: Int
        var re: [Double]
        var im: [Double]
        init(_ n: Int) {
            self.n = n
            re = [Double](repeating: 0, count: n * n)
            im = re
        }
        var norm: Double { zip(re, im).reduce(0) { $0 + $1.0 * $1.0 + $1.1 * $1.1 }.squareRoot() }
        var offDiagonalNorm: Double {
            var sum = 0.0
            for i in 0..<n {
                for j in 0..<n where i != j { sum += re[i * n + j] * re[i * n + j] + im[i * n + j] * im[i * n + j] }
            }
            return sum.squareRoot()
        }
    }

    /// Makes element (p, q) zero by a unitary rotation of columns and rows p and q.
    private static func rotate(_ a: inout ComplexMatrix, _ v: inout ComplexMatrix, _ p: Int, _ q: Int) {
        let n = a.n
        let (x, y) = (a.re[p * n + q], a.im[p * n + q])
        let magnitude = (x * x + y * y).squareRoot()
        guard magnitude > 0 else { return }
        let theta = (a.re[q * n + q] - a.re[p * n + p]) / (2 * magnitude)
        let t = (theta >= 0 ? 1 : -1) / (theta.magnitude + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot(), s = t * c
        let (ur, ui) = (x / magnitude, y / magnitude)  // the phase of a_pq
        // Columns: p ← c p − s ū q,  q ← s u p + c q.
        func columns(_ m: inout ComplexMatrix) {
            for i in 0..<n {
                let (pr, pi, qr, qi) = (m.re[i * n + p], m.im[i * n + p], m.re[i * n + q], m.im[i * n + q])
                m.re[i * n + p] = c * pr - s * (ur * qr + ui * qi)
                m.im[i * n + p] = c * pi - s * (ur * qi - ui * qr)
                m.re[i * n + q] = s * (ur * pr - ui * pi) + c * qr
                m.im[i * n + q] = s * (ur * pi + ui * pr) + c * qi
            }
        }
        columns(&a)
        columns(&v)
        for j in 0..<n {
            let (pr, pi, qr, qi) = (a.re[p * n + j], a.im[p * n + j], a.re[q * n + j], a.im[q * n + j])
            a.re[p * n + j] = c * pr - s * (ur * qr - ui * qi)
            a.im[p * n + j] = c * pi - s * (ur * qi + ui * qr)
            a.re[q * n + j] = s * (ur * pr + ui * pi) + c * qr
            a.im[q * n + j] = s * (ur * pi - ui * pr) + c * qi
        }
    }
}
