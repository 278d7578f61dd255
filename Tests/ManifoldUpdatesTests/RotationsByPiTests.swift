import CPUBackend
import ManifoldUpdates
import RecurrentCore
import ReferenceBackend
import Testing

/// Logarithms of rotations by angles of and near π, which have the eigenvalue −1.
struct RotationsByPiTests {
    /// Each backend with the largest allowed element of exp(B) − W.
    private static func backends() throws -> [(any Backend, Double)] {
        [(ReferenceBackend(), 1e-10), (try CPUBackend(), 1e-5)]
    }

    /// Checks that exp(log W) is W and log W exactly skew.
    private func check(_ values: [Double], size: Int, _ backend: any Backend, _ tolerance: Double) throws {
        let w = try backend.makeMatrix(values, rows: size, columns: size)
        let b = try backend.allocate(rows: size, columns: size), back = try backend.allocate(rows: size, columns: size)
        try SkewLogarithm(size: size, on: backend)(w, into: b)
        let skew: [Double] = backend.download(b)
        for i in 0..<size { for j in 0...i { #expect(skew[i * size + j] == -skew[j * size + i]) } }
        try SkewExponential(size: size, on: backend, method: .scalingAndSquaring)(b, into: back)
        let found: [Double] = backend.download(back)
        let error = zip(found, values).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(error <= tolerance, "\(backend.name): \(error)")
    }

    private static func diagonal(_ values: [Double]) -> [Double] {
        let n = values.count
        return (0..<n * n).map { $0 / n == $0 % n ? values[$0 % n] : 0 }
    }

    private static func permutation(_ images: [Int]) -> [Double] {
        let n = images.count
        return (0..<n * n).map { images[$0 / n] == $0 % n ? 1 : 0 }
    }

    /// Sylvester's matrix [8, 8], which has the eigenvalues 1 and −1 four times each, and so the determinant 1.
    private static let hadamard: [Double] = (0..<64).map { element in
        let common = (element / 8) & (element % 8), size = 0.125.squareRoot()
        return common.nonzeroBitCount % 2 == 0 ? size : -size
    }

    /// Returns the distances 1, 0.1, 0.01, ….
    private static func decades(_ count: Int) -> [Double] {
        (0..<count).map { RealFunctions.exp(-2.302585 * Double($0)) }
    }

    private static let aroundHalfPi: [Double] = decades(12).enumerated().map { index, distance in
        index % 2 == 0 ? .pi / 2 + distance : .pi / 2 - distance
    }
    private static let dense: [Double] = (0..<20).map { Double.pi * (Double($0) + 0.5) / 20 }

    static let exact: [(name: String, size: Int, values: [Double])] = [
        ("diag(−1, −1, 1, …)", 6, diagonal([-1, -1, 1, 1, 1, 1])),
        ("diag(1, −1, 1, −1, 1)", 5, diagonal([1, -1, 1, -1, 1])),
        ("−I", 2, diagonal([-1, -1])), ("−I", 8, diagonal([Double](repeating: -1, count: 8))),
        ("I", 1, [1]), ("I", 4, diagonal([1, 1, 1, 1])),
        ("two swaps", 5, permutation([1, 0, 3, 2, 4])),
        ("a cycle of 4 and a swap", 6, permutation([1, 2, 3, 0, 5, 4])),
        ("Hadamard", 8, hadamard),
    ]

    @Test(arguments: exact.indices)
    func exactRotations(index: Int) throws {
        let (_, size, values) = Self.exact[index]
        for (backend, tolerance) in try Self.backends() { try check(values, size: size, backend, tolerance) }
    }

    /// Returns Q · rotations · Qᵀ row by row, with a random orthogonal Q, computed by the reference backend.
    private func rotation(_ angles: [Double], isOdd: Bool) throws -> (values: [Double], size: Int) {
        let backend = ReferenceBackend(), size = 2 * angles.count + (isOdd ? 1 : 0)
        var blocks = Self.diagonal([Double](repeating: 1, count: size))
        for (i, angle) in angles.enumerated() {
            let (c, s) = (RealFunctions.cos(angle), RealFunctions.sin(angle)), start = 2 * i * size + 2 * i
            (blocks[start], blocks[start + 1], blocks[start + size], blocks[start + size + 1]) = (c, -s, s, c)
        }
        var random = RandomStream(RandomKey(seed: 9, purpose: .test, stream: size))
        let skew = try backend.makeMatrix(
            UniformSkew(scale: 1).values(size: size, random: &random), rows: size, columns: size)
        let basis = try backend.allocate(rows: size, columns: size),
            half = try backend.allocate(rows: size, columns: size)
        try SkewExponential(size: size, on: backend)(skew, into: basis)
        let w = try backend.makeMatrix(blocks, rows: size, columns: size)
        backend.gemm(basis, w, into: half)
        backend.gemm(half, basis.transposed, into: w)
        return (backend.download(w), size)
    }

    static let angles: [(name: String, values: [Double])] = [
        ("π", [.pi, .pi, .pi]), ("π − 1e-6", [.pi - 1e-6, 1, 2]), ("repeated", [.pi - 1e-6, .pi - 1e-6, 0.5, 0.5]),
        ("close to each other", [.pi - 1e-7, .pi - 2e-7, .pi - 3e-7, .pi]),
        ("of all distances from π", decades(16).map { .pi - $0 }), ("of all distances from π / 2", aroundHalfPi),
        ("of all sizes", decades(12)),
        ("π and 0", [.pi, 0, .pi, 0, .pi / 2]), ("2π / 3", [Double](repeating: 2 * .pi / 3, count: 5)),
        ("dense", dense),
    ]

    @Test(arguments: angles.indices, [false, true])
    func generalRotations(index: Int, isOdd: Bool) throws {
        let (values, size) = try rotation(Self.angles[index].values, isOdd: isOdd)
        for (backend, tolerance) in try Self.backends() { try check(values, size: size, backend, tolerance) }
    }

    static let reflections: [(size: Int, values: [Double])] = [
        (1, [-1]), (2, [0, 1, 1, 0]), (3, diagonal([1, -1, 1])), (5, diagonal([-1, -1, -1, -1, -1])),
        (4, permutation([1, 2, 3, 0])),
    ]

    @Test(arguments: reflections.indices)
    func reflectionsHaveNone(index: Int) throws {
        let (size, values) = Self.reflections[index]
        for (backend, _) in try Self.backends() {
            let w = try backend.makeMatrix(values, rows: size, columns: size)
            let b = try backend.allocate(rows: size, columns: size)
            let error = #expect(throws: RecurrentError.self) { try SkewLogarithm(size: size, on: backend)(w, into: b) }
            #expect("\(error!)".contains("determinant"), "\(error!)")
        }
    }

    @Test(arguments: [Double.nan, .infinity])
    func whatIsntFiniteHasNone(value: Double) throws {
        let backend = ReferenceBackend()
        let w = try backend.makeMatrix([1, 0, 0, value], rows: 2, columns: 2)
        let b = try backend.allocate(rows: 2, columns: 2)
        #expect(throws: RecurrentError.self) { try SkewLogarithm(size: 2, on: backend)(w, into: b) }
    }
}
