#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A computation of the eigenvalues `exp(iθ)` of orthogonal and unitary matrices: the angles by which
/// the invariant planes rotate in one step of a linear uRNN without input.
///
/// A matrix with twice as many rows as columns stands for a unitary one: [A; S] for `A + iS`.
public final class OrthogonalSpectrum {
    private let backend: any Backend
    private let size: Int
    private let real: MatrixView
    private let imaginary: MatrixView
    private let eigenvalues: MatrixView
    /// The product of the weight with an eigenvector's real or imaginary part: [n, n], or [2n, n] for a unitary one.
    private let product: MatrixView
    private let mix: any Kernel, mixComplex: any Kernel

    /// Prepares the computation for matrices [size, size], or [2 · size, size] if they are unitary.
    public init(size: Int, on backend: any Backend) throws {
        self.backend = backend
        self.size = size
        real = try backend.allocate(rows: size, columns: size)
        imaginary = try backend.allocate(rows: size, columns: size)
        product = try backend.allocate(rows: 2 * size, columns: size)
        eigenvalues = try backend.allocate(rows: 1, columns: size)
        mix = try backend.compile(
            PointwiseProgram(inputs: 2, scalars: 2) { x, factors in
                [factors[0] * (x[0] + x[1]), factors[1] * (x[1] - x[0])]
            })
        // A, Aᵀ, S, Sᵀ → the real and the imaginary part of (e^-iφ W + e^iφ Wᴴ) / 2
        mixComplex = try backend.compile(
            PointwiseProgram(inputs: 4, scalars: 2) { x, factors in
                [
                    factors[0] * (x[0] + x[1]) + factors[1] * (x[2] + x[3]),
                    factors[1] * (x[1] - x[0]) + factors[0] * (x[2] - x[3]),
                ]
            })
    }

    /// Returns the `size` angles θ of an orthogonal matrix W [size, size] or of a unitary one [2 · size, size], in ascending
    /// order and in (−π, π].
    ///
    /// W is normal, so it shares its eigenvectors with the Hermitian matrix
    /// `(e^-iφ W + e^iφ Wᴴ)/2`, whose eigenvalues `cos(θ − φ)`
    /// distinguish conjugate pairs for a generic φ. Each angle is then that of the Rayleigh
    /// quotient `v* W v`.
    ///
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the decomposition fails.
    public func angles(of weight: MatrixView) throws -> [Double] {
        let isComplex = Self.isComplex(weight)
        precondition(weight.columns == size)
        let phi = 0.7, factors = [cos(phi) / 2, sin(phi) / 2]
        if isComplex {
            let (a, s) = (weight.rows(0..<size), weight.rows(size..<2 * size))
            backend.run(
                mixComplex, inputs: [a, a.transposed, s, s.transposed], outputs: [real, imaginary], scalars: factors)
        } else {
            backend.run(mix, inputs: [weight, weight.transposed], outputs: [real, imaginary], scalars: factors)
        }
        try backend.hermitianEigen(real: real, imaginary: imaginary, eigenvalues: eigenvalues)
        let zeros = [Double](repeating: 0, count: size * size)
        // The parts x and y of the eigenvectors, each with its images under A and S.
        let parts = [real, imaginary].map { part -> (vector: [Double], image: [Double], turned: [Double]) in
            let images = product.rows(0..<weight.rows)
            backend.gemm(weight, part, into: images)
            return (
                backend.download(part), backend.download(images.rows(0..<size)),
                isComplex ? backend.download(images.rows(size..<2 * size)) : zeros
            )
        }
        return (0..<size).map { column in
            var x = 0.0, y = 0.0
            for place in stride(from: column, to: size * size, by: size) {
                let realImage = parts[0].image[place] - parts[1].turned[place]
                let imaginaryImage = parts[1].image[place] + parts[0].turned[place]
                x += parts[0].vector[place] * realImage + parts[1].vector[place] * imaginaryImage
                y += parts[0].vector[place] * imaginaryImage - parts[1].vector[place] * realImage
            }
            return atan2(y, x)
        }.sorted()
    }

    /// Returns whether a matrix stands for a complex one, [A; S] for `A + iS`.
    ///
    /// - Precondition: it has as many rows as columns, or twice as many.
    static func isComplex(_ weight: MatrixView) -> Bool {
        precondition(
            weight.rows == weight.columns || weight.rows == 2 * weight.columns,
            "a weight with \(weight.rows) rows and \(weight.columns) columns is neither square nor complex")
        return weight.rows != weight.columns
    }

    /// Returns the largest magnitude of an element of `WᵀW − I`, or of `WᴴW − I` for [A; S] of [2n, n]; NaN if one of them
    /// is.
    ///
    /// - Throws: what the backend throws if there is no memory.
    public static func orthogonalityError(of weight: MatrixView, on backend: any Backend) throws -> Double {
        let product = try backend.allocate(rows: weight.columns, columns: weight.columns)
        backend.gemm(weight.transposed, weight, into: product)
        let values: [Double] = backend.download(product)
        // `max` would ignore NaN.
        if values.contains(where: \.isNaN) { return .nan }
        let real = values.enumerated().map { $0.1 - ($0.0 % (weight.columns + 1) == 0 ? 1 : 0) }
        guard isComplex(weight) else { return real.reduce(0) { max($0, abs($1)) } }
        // The imaginary part is AᵀS − SᵀA.
        let n = weight.columns
        backend.gemm(weight.rows(0..<n).transposed, weight.rows(n..<2 * n), into: product)
        let crossed: [Double] = backend.download(product)
        if crossed.contains(where: \.isNaN) { return .nan }
        return real.indices.reduce(0) { max($0, hypot(real[$1], crossed[$1] - crossed[$1 % n * n + $1 / n])) }
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
