import CPUKernels
import RecurrentCore

extension CPUBackend {
    /// Solves `A · X = B` with LAPACK's sgesv; X replaces B, and A is destroyed.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if A is singular.
    public func solve(_ a: MatrixView, _ b: MatrixView) throws {
        precondition(a.rows == a.columns && a.rows == b.rows && a.isPacked && b.isPacked)
        var pivots = [Int32](repeating: 0, count: a.rows)
        let info = ck_solve(Int32(a.rows), Int32(b.columns), a.pointer, b.pointer, &pivots)
        guard info == 0 else {
            throw RecurrentError.linearAlgebra(
                "solve: the \(a.rows) × \(a.rows) matrix is singular (sgesv info \(info))")
        }
    }

    /// Finds the eigendecomposition of a Hermitian matrix with LAPACK's cheevd.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if it doesn't converge.
    public func hermitianEigen(real: MatrixView, imaginary: MatrixView, eigenvalues: MatrixView) throws {
        let n = real.rows
        precondition(real.isPacked && imaginary.isPacked && eigenvalues.isPacked && eigenvalues.count == n)
        // LAPACK's matrices are column-major: element (i, j) is at j * n + i.
        var matrix = [Float](repeating: 0, count: 2 * n * n)
        for i in 0..<n {
            for j in 0..<n {
                matrix[2 * (j * n + i)] = real.pointer[i * n + j]
                matrix[2 * (j * n + i) + 1] = imaginary.pointer[i * n + j]
            }
        }
        let info = ck_hermitian_eigen(Int32(n), &matrix, eigenvalues.pointer)
        guard info == 0 else {
            throw RecurrentError.linearAlgebra(
                "the \(n) × \(n) eigendecomposition did not converge (cheevd info \(info))")
        }
        for i in 0..<n {
            for j in 0..<n {
                real.pointer[i * n + j] = matrix[2 * (j * n + i)]
                imaginary.pointer[i * n + j] = matrix[2 * (j * n + i) + 1]
            }
        }
    }
}
