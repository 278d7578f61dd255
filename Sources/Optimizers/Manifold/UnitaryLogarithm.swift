import RecurrentCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The logarithm of a unitary matrix: a skew-Hermitian `B` with `exp(B) = W`.
///
/// As `B = iφ I + log(e^-iφ W)` for every φ, φ is chosen so that no eigenvalue of `e^-iφ W` is near −1; it is 0 if that is so
/// already. The logarithm of a matrix without that eigenvalue is unique, so that of [[A, −S], [S, A]], which
/// ``SkewLogarithm`` computes, is that of a complex matrix.
struct UnitaryLogarithm {
    private let size: Int
    private let backend: any Backend

    init(size: Int, on backend: any Backend) { (self.size, self.backend) = (size, backend.exact) }

    /// Computes `B = log W`.
    ///
    /// - Parameters:
    ///   - weight: W as [A; S] of [2n, n]; may have a row stride.
    ///   - result: B as [X; Y] of [2n, n], packed; X is exactly skew-symmetric and Y exactly symmetric.
    /// - Throws: ``RecurrentCore/RecurrentError/linearAlgebra(_:)`` if W holds numbers that aren't finite; the backend's
    ///   error if it can't allocate memory.
    func callAsFunction(_ weight: MatrixView, into result: MatrixView) throws {
        let n = size, packed = try backend.allocate(rows: 2 * n, columns: n)
        backend.copy(weight, to: packed)
        let values: [Double] = backend.download(packed)
        guard values.allSatisfy(\.isFinite) else {
            throw RecurrentError.linearAlgebra("the matrix holds numbers that aren't finite, so it has no logarithm")
        }
        let phase = Self.phase(try OrthogonalSpectrum(size: n, on: backend).angles(of: packed))
        let (c, s) = (cos(phase), sin(phase))
        var embedded = [Double](repeating: 0, count: 4 * n * n)
        for i in 0..<n {
            for j in 0..<n {
                let (a, b) = (values[i * n + j], values[(n + i) * n + j])
                let (real, imaginary) = (c * a + s * b, c * b - s * a)
                embedded[i * 2 * n + j] = real
                embedded[(n + i) * 2 * n + n + j] = real
                embedded[(n + i) * 2 * n + j] = imaginary
                embedded[i * 2 * n + n + j] = -imaginary
            }
        }
        let turned = try backend.makeMatrix(embedded, rows: 2 * n, columns: 2 * n)
        let skew = try backend.allocate(rows: 2 * n, columns: 2 * n)
        try SkewLogarithm(size: 2 * n, on: backend)(turned, into: skew)
        let found: [Double] = backend.download(skew)
        func element(_ row: Int, _ column: Int) -> Double { found[row * 2 * n + column] }
        var parts = [Double](repeating: 0, count: 2 * n * n)
        for i in 0..<n {
            for j in 0..<n {
                parts[i * n + j] = 0.5 * (element(i, j) + element(n + i, n + j))
                parts[(n + i) * n + j] = 0.5 * (element(n + i, j) - element(i, n + j)) + (i == j ? phase : 0)
            }
        }
        backend.upload(parts, to: result)
    }

    /// Returns the φ for which π lies in a wide gap between the angles θ − φ: 0 if it lies in one already.
    private static func phase(_ angles: [Double]) -> Double {
        guard let first = angles.first, let last = angles.last else { return 0 }
        // The angles ascend in (−π, π], so the gap around π is that between the last and the first.
        if min(.pi - last, first + .pi) > 0.1 { return 0 }
        var best = (width: first + 2 * .pi - last, middle: 0.5 * (first + 2 * .pi + last))
        for (low, high) in zip(angles, angles.dropFirst()) where high - low > best.width {
            best = (high - low, 0.5 * (low + high))
        }
        return best.middle - .pi
    }
}
