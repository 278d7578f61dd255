import RecurrentCore

/// The invariant planes of a real skew-symmetric matrix K [n, n]: orthonormal pairs (x, y) with `K x = σ y` and
/// `K y = −σ x`, so that `K = Σ σ (y xᵀ − x yᵀ)`.
///
/// `(x + iy) / √2` is an eigenvector of iK with the eigenvalue σ. For small σ, rounding errors mix it with its conjugate,
/// whose eigenvalue is −σ, so that x and y are no longer orthonormal; but they still span the plane, and Newton–Schulz
/// steps make them orthonormal again. The kernel of K has no such eigenvectors: any two directions in it make a plane.
struct SkewPlanes {
    private let backend: any Backend
    private let size: Int
    /// The vectors x, then the vectors y, as columns: [n, 2 ⌊n / 2⌋].
    private let vectors: MatrixView?
    /// The values σ, at least 0, of the ⌊n / 2⌋ planes.
    private let values: [Double]

    /// Finds the planes of a matrix.
    ///
    /// - Parameters:
    ///   - matrix: K [n, n], packed, of a norm of about 1 or less; only its skew part counts.
    ///   - backend: the backend that holds the matrix.
    /// - Throws: the backend's error if an eigendecomposition doesn't converge.
    init(_ matrix: MatrixView, on backend: any Backend) throws {
        let n = matrix.rows, count = n / 2
        self.backend = backend
        size = n
        let given: [Double] = backend.download(matrix)
        let real = try backend.allocate(rows: n, columns: n), eigenvalues = try backend.allocate(rows: 1, columns: n)
        let imaginary = try backend.makeMatrix(
            (0..<n * n).map { 0.5 * (given[$0] - given[$0 % n * n + $0 / n]) }, rows: n, columns: n)
        try backend.hermitianEigen(real: real, imaginary: imaginary, eigenvalues: eigenvalues)
        let found: [Double] = backend.download(eigenvalues)
        let negligible = 32 * (backend.scalarType == .float32 ? 0x1p-24 : 0x1p-53)
        let nonzero = min(found.count { $0 > negligible }, count)
        values = found.suffix(nonzero).reversed() + [Double](repeating: 0, count: count - nonzero)
        guard count > 0 else {
            vectors = nil
            return
        }
        var columns = [Double](repeating: 0, count: n * 2 * count)
        /// Makes a column of a matrix [n, n] a vector.
        func set(_ vector: Int, _ matrix: [Double], _ column: Int, scale: Double) {
            for row in 0..<n { columns[row * 2 * count + vector] = scale * matrix[row * n + column] }
        }
        let parts: [[Double]] = [backend.download(real), backend.download(imaginary)]
        for plane in 0..<nonzero {
            set(plane, parts[0], n - 1 - plane, scale: 2.squareRoot())
            set(count + plane, parts[1], n - 1 - plane, scale: 2.squareRoot())
        }
        if nonzero < count {
            let kernel = try Self.kernel(real, imaginary, nonzero..<n - nonzero, on: backend)
            for plane in nonzero..<count {
                set(plane, kernel, n - 1 - 2 * (plane - nonzero), scale: 1)
                set(count + plane, kernel, n - 2 - 2 * (plane - nonzero), scale: 1)
            }
        }
        vectors = try Self.orthonormal(
            backend.makeMatrix(columns, rows: n, columns: 2 * count), on: backend)
    }

    /// Returns a matrix whose last columns are an orthonormal basis, in real numbers, of a space that some columns of a
    /// unitary matrix span: the eigenvectors of the projection onto it.
    private static func kernel(
        _ real: MatrixView, _ imaginary: MatrixView, _ columns: Range<Int>, on backend: any Backend
    ) throws -> [Double] {
        let n = real.rows
        let projection = try backend.allocate(rows: n, columns: n), zero = try backend.allocate(rows: n, columns: n)
        backend.gemm(real.columns(columns), real.columns(columns).transposed, into: projection)
        backend.gemm(
            alpha: 1, imaginary.columns(columns), imaginary.columns(columns).transposed, beta: 1, projection)
        try backend.hermitianEigen(
            real: projection, imaginary: zero, eigenvalues: backend.allocate(rows: 1, columns: n))
        return backend.download(projection)
    }

    /// Returns the nearest matrix with orthonormal columns; these are nearly orthonormal to begin with.
    private static func orthonormal(_ matrix: MatrixView, on backend: any Backend) throws -> MatrixView {
        let step = try NewtonSchulz(size: matrix.columns, on: backend)
        var (current, next) = (matrix, try backend.allocate(rows: matrix.rows, columns: matrix.columns))
        for _ in 0..<8 {
            step(current, into: next)
            swap(&current, &next)
        }
        return current
    }

    /// The planes: the vectors x and y and the value σ of each, by descending σ.
    var planes: [(x: [Double], y: [Double], value: Double)] {
        guard let vectors else { return [] }
        let count = values.count, all: [Double] = backend.download(vectors)
        func column(_ number: Int) -> [Double] { (0..<size).map { all[$0 * 2 * count + number] } }
        return values.indices.map { (column($0), column(count + $0), values[$0]) }
    }

    /// Returns `Σ f(σ) (y xᵀ − x yᵀ)`, row by row, for K's planes and a function f.
    func sum(_ function: (Double) -> Double) throws -> [Double] {
        let n = size, count = values.count
        guard let vectors else { return [Double](repeating: 0, count: n * n) }
        let factors = values.map(function), columns: [Double] = backend.download(vectors)
        let scaled = try backend.makeMatrix(
            (0..<n * count).map { factors[$0 % count] * columns[$0 / count * 2 * count + count + $0 % count] },
            rows: n, columns: count)
        let product = try backend.allocate(rows: n, columns: n)
        backend.gemm(scaled, vectors.columns(0..<count).transposed, into: product)
        let half: [Double] = backend.download(product)
        return (0..<n * n).map { half[$0] - half[$0 % n * n + $0 / n] }
    }
}
