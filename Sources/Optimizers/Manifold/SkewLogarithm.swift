import RecurrentCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The logarithm `B = log W` of a rotation: the skew matrix with `exp(B) = W` whose rotation angles are at most π.
///
/// The symmetric part of W has the eigenvalues cos θ, and its skew part rotates the invariant planes by sin θ. For small
/// and large angles the sine is accurate, and in between the cosine. So the space is divided into
/// three by the eigenvectors of the symmetric part. In the outer two, the planes of the skew part
/// (`SkewPlanes`) give B; two directions that W reverses make such a plane, too. In the middle, B is
/// `J arccos(cos θ)`, where J turns each plane by a right angle.
///
/// - Complexity: the eigendecompositions of a matrix [n, n] and of three smaller ones.
public final class SkewLogarithm {
    private let backend: any Backend
    private let size: Int
    /// W, then its skew part.
    private let packed: MatrixView
    /// The symmetric part of W, then its eigenvectors as columns.
    private let vectors: MatrixView
    private let imaginary: MatrixView
    private let eigenvalues: MatrixView

    /// Creates a logarithm of matrices of one size.
    ///
    /// - Parameters:
    ///   - size: the number n of rows and columns.
    ///   - backend: the backend that holds the matrices.
    /// - Throws: the backend's error if it can't allocate memory.
    public init(size: Int, on backend: any Backend) throws {
        let backend = backend.exact
        self.backend = backend
        self.size = size
        packed = try backend.allocate(rows: size, columns: size)
        vectors = try backend.allocate(rows: size, columns: size)
        imaginary = try backend.allocate(rows: size, columns: size)
        eigenvalues = try backend.allocate(rows: 1, columns: size)
    }

    /// Computes `B = log W`.
    ///
    /// - Parameters:
    ///   - weight: W [n, n], orthogonal; may have a row stride.
    ///   - result: B [n, n], packed; exactly skew-symmetric.
    /// - Throws: ``RecurrentCore/RecurrentError/linearAlgebra(_:)`` if W is a reflection, so that its determinant is −1,
    ///   or holds numbers that aren't finite; the backend's error if it can't allocate memory.
    public func callAsFunction(_ weight: MatrixView, into result: MatrixView) throws {
        let n = size
        backend.copy(weight, to: packed)
        let values: [Double] = backend.download(packed)
        guard values.allSatisfy(\.isFinite) else {
            throw RecurrentError.linearAlgebra("the matrix holds numbers that aren't finite, so it has no logarithm")
        }
        func parts(_ sign: Double) -> [Double] {
            (0..<n * n).map { 0.5 * (values[$0] + sign * values[$0 % n * n + $0 / n]) }
        }
        backend.upload(parts(-1), to: packed)
        backend.upload(parts(1), to: vectors)
        backend.fill(imaginary, with: 0)
        try backend.hermitianEigen(real: vectors, imaginary: imaginary, eigenvalues: eigenvalues)
        let cosines: [Double] = backend.download(eigenvalues)
        let large = Self.border(cosines, in: Self.borders.large), small = Self.border(cosines, in: Self.borders.small)
        guard large % 2 == 0 else {
            throw RecurrentError.linearAlgebra(
                "the matrix is a reflection: its determinant is −1, but exp(B) of a skew B has the determinant 1")
        }
        // The imaginary parts of a real matrix's eigenvectors are zero.
        let sum = imaginary
        backend.fill(sum, with: 0)
        try add(0..<large, to: sum) { planes in try planes.sum { .pi - asin(min($0, 1)) } }
        try add(large..<small, to: sum) { planes in
            let angles = cosines[large..<small].map { acos(max(-1, min(1, $0))) }, count = angles.count
            let turn = try planes.sum { _ in 1 }
            return turn.indices.map { 0.5 * turn[$0] * (angles[$0 / count] + angles[$0 % count]) }
        }
        try add(small..<n, to: sum) { planes in try planes.sum { asin(min($0, 1)) } }
        let found: [Double] = backend.download(sum)
        backend.upload((0..<n * n).map { 0.5 * (found[$0] - found[$0 % n * n + $0 / n]) }, to: result)
    }

    /// Adds the part of B in the space of some eigenvectors V: `V P Vᵀ`, where P follows from the planes of the skew
    /// part in this space.
    private func add(_ range: Range<Int>, to sum: MatrixView, _ part: (SkewPlanes) throws -> [Double]) throws {
        guard !range.isEmpty else { return }
        let basis = vectors.columns(range)
        let half = try backend.allocate(rows: size, columns: range.count)
        let inside = try backend.allocate(rows: range.count, columns: range.count)
        backend.gemm(packed, basis, into: half)
        backend.gemm(basis.transposed, half, into: inside)
        backend.upload(try part(SkewPlanes(inside, on: backend)), to: inside)
        backend.gemm(basis, inside, into: half)
        backend.gemm(alpha: 1, half, basis.transposed, beta: 1, sum)
    }

    /// Where the space is divided: between eigenvalues cos θ of the symmetric part that are as far apart as possible.
    private static let borders = (large: -0.8...(-0.5), small: 0.5...0.8)

    /// Returns how many of the ascending values are below the widest gap between them inside a range.
    private static func border(_ values: [Double], in range: ClosedRange<Double>) -> Int {
        func gap(_ count: Int) -> Double {
            let low = count == 0 ? range.lowerBound : max(range.lowerBound, values[count - 1])
            return (count == values.count ? range.upperBound : min(range.upperBound, values[count])) - low
        }
        return (0...values.count).max { gap($0) < gap($1) }!
    }
}
