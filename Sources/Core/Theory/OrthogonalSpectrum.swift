#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A computation of the eigenvalues `exp(iθ)` of orthogonal matrices: the angles by which
/// the invariant planes rotate in one step of a linear uRNN without input.
public final class OrthogonalSpectrum {
    private let backend: any Backend
    private let size: Int
    private let real: MatrixView
    private let imaginary: MatrixView
    private let eigenvalues: MatrixView
    private let product: MatrixView
    private let mix: any Kernel

    /// Prepares the computation for matrices [size, size].
    public init(size: Int, on backend: any Backend) throws {
        self.backend = backend
        self.size = size
        real = try backend.allocate(rows: size, columns: size)
        imaginary = try backend.allocate(rows: size, columns: size)
        product = try backend.allocate(rows: size, columns: size)
        eigenvalues = try backend.allocate(rows: 1, columns: size)
        mix = try backend.compile(
            PointwiseProgram(inputs: 2, scalars: 2) { x, factors in
                [factors[0] * (x[0] + x[1]), factors[1] * (x[1] - x[0])]
            })
    }

    /// Returns the angles θ of an orthogonal matrix W [size, size], in ascending order and
    /// in (−π, π].
    ///
    /// W is normal, so it shares its eigenvectors with the Hermitian matrix
    /// `cos φ · (W + Wᵀ)/2 − i sin φ · (W − Wᵀ)/2`, whose eigenvalues `cos(θ − φ)`
    /// distinguish conjugate pairs for a generic φ. Each angle is then that of the Rayleigh
    /// quotient `v* W v`.
    ///
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the decomposition fails.
    public func angles(of weight: MatrixView) throws -> [Double] {
        precondition(weight.rows == size && weight.columns == size)
        let phi = 0.7
        backend.run(
            mix, inputs: [weight, weight.transposed], outputs: [real, imaginary], scalars: [cos(phi) / 2, sin(phi) / 2])
        try backend.hermitianEigen(real: real, imaginary: imaginary, eigenvalues: eigenvalues)
        let parts = [real, imaginary].map { part -> (vector: [Double], image: [Double]) in
            backend.gemm(weight, part, into: product)
            return (backend.download(part), backend.download(product))
        }
        return (0..<size).map { column in
            var x = 0.0, y = 0.0
            for place in stride(from: column, to: size * size, by: size) {
                x += parts[0].vector[place] * parts[0].image[place] + parts[1].vector[place] * parts[1].image[place]
                y += parts[0].vector[place] * parts[1].image[place] - parts[1].vector[place] * parts[0].image[place]
            }
            return atan2(y, x)
        }.sorted()
    }

    /// Returns the largest magnitude of an element of `WᵀW − I`; NaN if one of them is.
    ///
    /// - Throws: what the backend throws if there is no memory.
    public static func orthogonalityError(of weight: MatrixView, on backend: any Backend) throws -> Double {
        let product = try backend.allocate(rows: weight.columns, columns: weight.columns)
        backend.gemm(weight.transposed, weight, into: product)
        let values: [Double] = backend.download(product)
        // `max` would ignore NaN.
        if values.contains(where: \.isNaN) { return .nan }
        return values.enumerated().reduce(0) { largest, element in
            max(largest, abs(element.1 - (element.0 % (weight.columns + 1) == 0 ? 1 : 0)))
        }
    }

    /// Returns whether the determinant of an orthogonal matrix is 1 and not −1: the sign of the product of the pivots of
    /// an elimination on the host.
    ///
    /// - Throws: what the backend throws if there is no memory.
    public static func isRotation(_ weight: MatrixView, on backend: any Backend) throws -> Bool {
        let n = weight.rows, packed = try backend.allocate(rows: n, columns: n)
        backend.copy(weight, to: packed)
        let values: [Double] = backend.download(packed)
        var rows = (0..<n).map { Array(values[$0 * n..<($0 + 1) * n]) }
        var isRotation = true
        for k in 0..<n {
            let pivot = (k..<n).max { rows[$0][k].magnitude < rows[$1][k].magnitude }!
            if pivot != k {
                rows.swapAt(pivot, k)
                isRotation.toggle()
            }
            let top = rows[k]
            if top[k] < 0 { isRotation.toggle() }
            for r in k + 1..<max(n, k + 1) where rows[r][k] != 0 {
                let factor = rows[r][k] / top[k]
                for c in k..<n { rows[r][c] -= factor * top[c] }
            }
        }
        return isRotation
    }
}
