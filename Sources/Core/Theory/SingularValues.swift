/// Functions that compute singular values of small dense matrices.
public enum SingularValues {
    /// Returns the smallest and the largest singular value of `W` [n, n], or of `A + iS` for [A; S] of [2n, n].
    ///
    /// They are computed as eigenvalues ±s of the symmetric matrix `[[0, W], [Wᵀ, 0]]`,
    /// which, unlike those of `WᵀW`, keep the accuracy of small singular values.
    ///
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the decomposition fails or W holds
    ///   elements that aren't finite.
    public static func range(of weight: MatrixView, on backend: any Backend) throws -> ClosedRange<Double> {
        if OrthogonalSpectrum.isComplex(weight) { return try rangeOfComplex(weight, on: backend) }
        let n = weight.rows
        let real = try backend.allocate(rows: 2 * n, columns: 2 * n)
        let imaginary = try backend.allocate(rows: 2 * n, columns: 2 * n)
        let eigenvalues = try backend.allocate(rows: 1, columns: 2 * n)
        let packed = try backend.allocate(rows: n, columns: n)
        backend.copy(weight, to: packed)
        let values: [Double] = backend.download(packed)
        var symmetric = [Double](repeating: 0, count: 4 * n * n)
        for r in 0..<n {
            for c in 0..<n {
                symmetric[r * 2 * n + n + c] = values[r * n + c]
                symmetric[(n + c) * 2 * n + r] = values[r * n + c]
            }
        }
        backend.upload(symmetric, to: real)
        backend.fill(imaginary, with: 0)
        try backend.hermitianEigen(real: real, imaginary: imaginary, eigenvalues: eigenvalues)
        let found: [Double] = backend.download(eigenvalues)
        guard found.allSatisfy(\.isFinite) else {
            throw RecurrentError.linearAlgebra(
                "a recurrent weight holds values that aren't finite, so it has no singular values")
        }
        return max(found[n], 0)...max(found[2 * n - 1], 0)
    }

    /// Returns the range for [A; S]: [[A, −S], [S, A]] has the singular values of `A + iS`, each twice.
    private static func rangeOfComplex(
        _ weight: MatrixView, on backend: any Backend
    ) throws -> ClosedRange<Double> {
        let n = weight.columns, packed = try backend.allocate(rows: 2 * n, columns: n)
        backend.copy(weight, to: packed)
        let values: [Double] = backend.download(packed)
        var embedded = [Double](repeating: 0, count: 4 * n * n)
        for r in 0..<n {
            for c in 0..<n {
                let (a, s) = (values[r * n + c], values[(n + r) * n + c])
                embedded[r * 2 * n + c] = a
                embedded[(n + r) * 2 * n + n + c] = a
                embedded[(n + r) * 2 * n + c] = s
                embedded[r * 2 * n + n + c] = -s
            }
        }
        return try range(of: backend.makeMatrix(embedded, rows: 2 * n, columns: 2 * n), on: backend)
    }

    /// Returns the largest singular value of A [n, n] (row by row), which is its operator
    /// norm ‖A‖₂; NaN if an element is, else infinite if one is.
    ///
    /// It uses the Lanczos method on `AᵀA` with full reorthogonalisation (Golub & Van Loan,
    /// *Matrix Computations*, Section 10.3), until the value is stable to 13 digits.
    ///
    /// - Complexity: a few dozen products with A and `Aᵀ`.
    public static func largest(_ a: UnsafeBufferPointer<Double>, size n: Int) -> Double {
        precondition(a.count == n * n)
        // `max` would ignore NaN.
        if a.contains(where: \.isNaN) { return .nan }
        let scale = a.reduce(0) { max($0, abs($1)) }
        guard scale > 0 else { return 0 }
        guard scale.isFinite else { return .infinity }
        var random = RandomStream(RandomKey(seed: 1, purpose: .initialization, stream: 0, step: 0))
        var basis = [normalized((0..<n).map { _ in random.normal() }).vector]
        var diagonal: [Double] = [], offDiagonal: [Double] = []
        var last = 0.0, agreed = 0
        while true {
            let v = basis[basis.count - 1]
            var w = gram(a, n, v, scale)
            diagonal.append(dot(v, w))
            for _ in 0..<2 {
                for other in basis {
                    let overlap = dot(other, w)
                    for i in 0..<n { w[i] -= overlap * other[i] }
                }
            }
            let value = largestEigenvalue(diagonal, offDiagonal)
            agreed = value - last <= 1e-13 * value ? agreed + 1 : 0
            last = value
            let next = normalized(w)
            if agreed == 3 || basis.count == n || next.norm <= 1e-14 * value { break }
            offDiagonal.append(next.norm)
            basis.append(next.vector)
        }
        return scale * last.squareRoot()
    }

    /// Returns `AᵀA v / scale²`.
    private static func gram(_ a: UnsafeBufferPointer<Double>, _ n: Int, _ v: [Double], _ scale: Double) -> [Double] {
        var result = [Double](repeating: 0, count: n)
        for r in 0..<n {
            let row = a.baseAddress! + r * n
            var product = 0.0
            for c in 0..<n { product += row[c] / scale * v[c] }
            for c in 0..<n { result[c] += row[c] / scale * product }
        }
        return result
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for i in a.indices { sum += a[i] * b[i] }
        return sum
    }

    private static func normalized(_ v: [Double]) -> (vector: [Double], norm: Double) {
        let norm = dot(v, v).squareRoot()
        return (norm > 0 ? v.map { $0 / norm } : v, norm)
    }

    /// Returns the largest eigenvalue of a symmetric tridiagonal matrix, found by bisection on
    /// Sturm sequences.
    private static func largestEigenvalue(_ diagonal: [Double], _ offDiagonal: [Double]) -> Double {
        var low = diagonal.max()!
        var high = diagonal.indices.map { i in
            diagonal[i] + (i > 0 ? offDiagonal[i - 1] : 0) + (i < offDiagonal.count ? offDiagonal[i] : 0)
        }.max()!
        func hasEigenvalueAbove(_ x: Double) -> Bool {
            var pivot = 1.0
            for i in diagonal.indices {
                let square = i > 0 ? offDiagonal[i - 1] * offDiagonal[i - 1] : 0
                pivot = diagonal[i] - x - square / pivot
                if pivot > 0 { return true }
                if pivot == 0 { pivot = -1e-300 }
            }
            return false
        }
        for _ in 0..<64 where high - low > 1e-15 * high {
            let middle = (low + high) / 2
            if hasEigenvalueAbove(middle) { low = middle } else { high = middle }
        }
        return high
    }
}
