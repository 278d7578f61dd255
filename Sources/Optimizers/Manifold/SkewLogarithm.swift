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
/// `J arccos(cos θ)`, where J turns each plane by a right angle. All of it takes place on the host, in Double.
///
/// - Complexity: some 20 n³ operations.
public final class SkewLogarithm {
    private let backend: any Backend
    private let size: Int
    private let packed: MatrixView

    /// Creates a logarithm of matrices of one size.
    ///
    /// - Parameters:
    ///   - size: the number n of rows and columns.
    ///   - backend: the backend that holds the matrices.
    /// - Throws: the backend's error if it can't allocate memory.
    public init(size: Int, on backend: any Backend) throws {
        self.backend = backend
        self.size = size
        packed = try backend.allocate(rows: size, columns: size)
    }

    /// Computes `B = log W`.
    ///
    /// - Parameters:
    ///   - weight: W [n, n], orthogonal; may have a row stride.
    ///   - result: B [n, n], packed; exactly skew-symmetric.
    /// - Throws: ``RecurrentCore/RecurrentError/linearAlgebra(_:)`` if W is a reflection, so that its determinant is −1,
    ///   or holds numbers that aren't finite.
    public func callAsFunction(_ weight: MatrixView, into result: MatrixView) throws {
        backend.copy(weight, to: packed)
        let values: [Double] = backend.download(packed)
        backend.upload(try Self.logarithm(of: values, size: size), to: result)
    }

    /// Where the space is divided: between eigenvalues cos θ of the symmetric part that are as far apart as possible.
    private static let borders = (large: -0.8...(-0.5), small: 0.5...0.8)

    private static func logarithm(of weight: [Double], size n: Int) throws -> [Double] {
        guard weight.allSatisfy(\.isFinite) else {
            throw RecurrentError.linearAlgebra("the matrix holds numbers that aren't finite, so it has no logarithm")
        }
        let transposed = (0..<n * n).map { weight[$0 % n * n + $0 / n] }
        let skew = zip(weight, transposed).map { 0.5 * ($0 - $1) }
        let cosines = try SymmetricEigen(zip(weight, transposed).map { 0.5 * ($0 + $1) }, size: n)
        let large = border(cosines.values, in: borders.large), small = border(cosines.values, in: borders.small)
        guard large % 2 == 0 else {
            throw RecurrentError.linearAlgebra(
                "the matrix is a reflection: its determinant is −1, but exp(B) of a skew B has the determinant 1")
        }
        var result = [Double](repeating: 0, count: n * n)
        for range in [0..<large, large..<small, small..<n] where !range.isEmpty {
            let count = range.count
            let basis = Array(cosines.vectors[range.lowerBound * n..<range.upperBound * n])
            let inside = Rows.productOfTransposed(
                Rows.product(basis, skew, inner: n, columns: n), basis, inner: n)
            let planes = SkewPlanes(
                (0..<count * count).map { 0.5 * (inside[$0] - inside[$0 % count * count + $0 / count]) }, size: count)
            let part: [Double]
            switch range.lowerBound {
            case small: part = planes.sum(size: count) { asin(min($0, 1)) }
            case 0 where large > 0: part = planes.sum(size: count) { .pi - asin(min($0, 1)) }
            default:
                let angles = cosines.values[range].map { acos(max(-1, min(1, $0))) }
                let turn = planes.sum(size: count) { _ in 1 }
                part = turn.indices.map { 0.5 * turn[$0] * (angles[$0 / count] + angles[$0 % count]) }
            }
            // B ← B + Vᵀ (part) V for the rows V of the basis
            let columns = (0..<n * count).map { basis[$0 % count * n + $0 / count] }
            let half = Rows.product(columns, part, inner: count, columns: count)
            let whole = Rows.product(half, basis, inner: count, columns: n)
            for i in result.indices { result[i] += whole[i] }
        }
        return (0..<n * n).map { 0.5 * (result[$0] - result[$0 % n * n + $0 / n]) }
    }

    /// Returns how many of the ascending values are below the widest gap between them inside a range.
    private static func border(_ values: [Double], in range: ClosedRange<Double>) -> Int {
        func gap(_ count: Int) -> Double {
            let low = count == 0 ? range.lowerBound : max(range.lowerBound, values[count - 1])
            return (count == values.count ? range.upperBound : min(range.upperBound, values[count])) - low
        }
        return (0...values.count).max { gap($0) < gap($1) }!
    }
}
