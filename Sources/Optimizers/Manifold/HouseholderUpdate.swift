import RecurrentCore

/// Products of k Householder reflections, `W = H(v₁) … H(v_k)` with `H(v) = I − 2 v vᵀ / ‖v‖²`, with the exact gradient
/// (Mhammedi, Hellicar, Rahman & Bailey 2017, “oRNN”); for complex weights, `W = H(v₁) … H(v_k) D`.
///
/// A real weight has the parameter V [k, n], whose rows are the vectors; it isn't skew. The determinant is (−1)^k. With n
/// reflections, or n − 1 if n is odd, every rotation can be reached; with fewer, the eigenvalue 1 has at least the
/// multiplicity n − k. Training starts at `exp(B₀)`, as far as k reflections go.
///
/// A complex weight has two: `reflections` [k, 2n], whose rows are the vᴴ of `H(v) = I − 2 v vᴴ / ‖v‖²`, their real parts and
/// then their imaginary parts, and `angles` [1, n] of the diagonal `D = diag(exp(iθ))`. The determinant is (−1)^k exp(iΣθ), any
/// phase. With n − 1 reflections every unitary matrix can be reached, by its QR decomposition (Householder 1958), and training
/// can start from it; W D⁻¹ has the eigenvalue 1 with at least the multiplicity n − k. With fewer than n − 1, training starts
/// with k of the columns of `exp(B₀)`, and a product that keeps the phases of what is left, or from a given weight whose
/// decomposition takes no more; that of a trained one mostly takes n − 1, whatever reflections have made it.
public struct HouseholderUpdate: ManifoldUpdate, Plugin {
    public static let name = "householder"
    public static let summary =
        "W = H(v₁) … H(v_k), a product of k reflections, times phases if complex, exact gradient (oRNN)"
    /// The choice of the number of reflections.
    public struct Options: OptionSection {
        /// The number k of reflections; nil for n, or for n + 1 if n is odd and W real, so that it is a rotation.
        public var reflections: Int?
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .integer(
                "reflections", \.reflections, 1...1_000_000,
                "Number of reflections, at most 2 H + 2; a real W has the determinant −1 if it is odd (default: H, rounded up to even if W is real)."
            )
        ]
    }
    /// The number k of reflections; nil for n, or for n + 1 if n is odd and W real.
    public let reflections: Int?
    public var traits: ManifoldTraits {
        (reflections ?? 2) % 2 == 0
            ? ManifoldTraits(starts: .rotations, otherStarts: "an odd number of `reflections`")
            : ManifoldTraits(starts: .reflections, otherStarts: "an even number of `reflections`")
    }

    public init(options: Options) { self.init(reflections: options.reflections) }
    /// Creates the update.
    ///
    /// - Parameter reflections: the number of reflections, at least 1; nil for n, or for n + 1 if n is odd and W real.
    public init(reflections: Int? = nil) {
        precondition(reflections ?? 1 >= 1, "there must be at least one reflection")
        self.reflections = reflections
    }

    public func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try HouseholderWorkspace(size: size, count: count(size, .real), on: backend)
    }
    public func makeUnitaryWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try UnitaryHouseholderWorkspace(size: size, count: count(size, .complex), on: backend)
    }

    /// Returns the number of reflections of a weight.
    private func count(_ size: Int, _ field: WeightField) throws -> Int {
        // n and n − 1 reflections give the orthogonal matrices of both determinants; twice as many are more than enough.
        guard reflections ?? 1 <= 2 * (size + 1) else {
            throw RecurrentError.invalidOption(
                "`reflections` must be at most \(2 * (size + 1)) for \(size) units, not \(reflections!)")
        }
        return reflections ?? (field == .real ? size + size % 2 : size)
    }
}

final class HouseholderWorkspace: ManifoldWorkspace {
    let parameters: [ManifoldMatrix]
    private let size: Int, count: Int
    private let backend: any Backend
    private let reflections: ReflectionProduct
    private let product: MatrixView
    private let polish: NewtonSchulz

    init(size: Int, count: Int, on backend: any Backend) throws {
        (self.size, self.count, self.backend) = (size, count, backend)
        parameters = [ManifoldMatrix("", rows: count, columns: size)]
        reflections = try ReflectionProduct(.real, size: size, count: count, on: backend)
        product = try backend.allocate(rows: size, columns: size)
        polish = try NewtonSchulz(size: size, on: backend)
    }

    func computeWeight(at point: ManifoldPoint, into weight: MatrixView) throws {
        try reflections(point.parameters[0], into: product)
        polish(product, into: weight)
    }

    func parameterGradients(
        weightGradient: MatrixView, weight: MatrixView, at point: ManifoldPoint, into results: [MatrixView]
    ) throws {
        try reflections.gradient(weightGradient, into: results[0])
    }

    /// Starts at `exp(B₀)`: in each of the planes that B₀ turns, two reflections make the rotation. Planes of the smallest
    /// angles are left out if there aren't enough reflections; one that is left over reflects the last unit.
    func initialize(_ point: ManifoldPoint, skew: MatrixView, random: inout RandomStream) throws {
        set(point, try planes(skew), last: unit)
    }

    /// Takes the planes that the weight turns; if k is odd, one reflection is that of a vector with the eigenvalue −1, and
    /// the planes are those of what it leaves.
    func adopt(_ weight: MatrixView, into point: ManifoldPoint) throws {
        let packed = try backend.allocate(rows: size, columns: size)
        backend.copy(weight, to: packed)
        // So many reflections are enough for any weight of their determinant.
        let (parity, enough) = count % 2 == 0 ? ("even", size + size % 2) : ("odd", size - 1 + size % 2)
        guard try OrthogonalSpectrum.isRotation(packed, on: backend) == (count % 2 == 0) else {
            throw RecurrentError.linearAlgebra(
                count % 2 == 0
                    ? "a product of \(count) reflections has the determinant 1, and the given weight −1; choose an odd number of `reflections`, such as \(size - 1 + size % 2)"
                    : "a product of \(count) reflections has the determinant −1, and the given weight 1; choose an even number of `reflections`, such as \(size + size % 2)"
            )
        }
        var last = unit
        if count % 2 == 1 {
            let values: [Double] = backend.download(packed)
            last = try reversed(values)
            let images = (0..<size).map { row in
                last.indices.reduce(0) { $0 + values[row * size + $1] * last[$1] }
            }
            backend.upload(
                values.indices.map { values[$0] - 2 * images[$0 / size] * last[$0 % size] }, to: packed)
        }
        let skew = try backend.allocate(rows: size, columns: size)
        try SkewLogarithm(size: size, on: backend)(packed, into: skew)
        let planes = try planes(skew)
        let needed = 2 * planes.count { $0.value > 1e-4 } + count % 2
        guard needed <= count else {
            throw RecurrentError.linearAlgebra(
                "the given weight is a product of \(needed) reflections, more than \(count); choose an \(parity) number of `reflections` from \(needed) on\(enough > needed ? ", such as \(enough)" : "")"
            )
        }
        set(point, planes, last: last)
    }

    /// The last unit.
    private var unit: [Double] { (0..<size).map { $0 == size - 1 ? 1 : 0 } }

    /// Returns a unit vector v with `W v = −v` of a weight with the determinant −1, row by row: an eigenvector of the
    /// lowest eigenvalue of W + Wᵀ.
    private func reversed(_ values: [Double]) throws -> [Double] {
        let n = size
        let symmetric = try backend.makeMatrix(
            (0..<n * n).map { 0.5 * (values[$0] + values[$0 % n * n + $0 / n]) }, rows: n, columns: n)
        try backend.hermitianEigen(
            real: symmetric, imaginary: backend.allocate(rows: n, columns: n),
            eigenvalues: backend.allocate(rows: 1, columns: n))
        let vectors: [Double] = backend.download(symmetric), vector = (0..<n).map { vectors[$0 * n] }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / length }
    }

    private func planes(_ skew: MatrixView) throws -> [(x: [Double], y: [Double], value: Double)] {
        let values: [Double] = backend.download(skew)
        let scale = values.reduce(0) { max($0, $1.magnitude) }
        guard scale > 0 else {
            return try SkewPlanes(backend.makeMatrix(values, rows: size, columns: size), on: backend).planes
        }
        let scaled = try backend.makeMatrix(values.map { $0 / (scale * Double(size)) }, rows: size, columns: size)
        return try SkewPlanes(scaled, on: backend).planes.map { ($0.x, $0.y, $0.value * scale * Double(size)) }
    }

    /// Sets two reflections for each plane, and those that are left over to that of `last`.
    private func set(
        _ point: ManifoldPoint, _ planes: [(x: [Double], y: [Double], value: Double)], last: [Double]
    ) {
        var vectors: [[Double]] = []
        for plane in planes where vectors.count + 2 <= count {
            let (c, s) = (RealFunctions.cos(plane.value / 2), RealFunctions.sin(plane.value / 2))
            vectors.append(zip(plane.x, plane.y).map { c * $0 + s * $1 })
            vectors.append(plane.x)
        }
        while vectors.count < count { vectors.append(last) }
        backend.upload(vectors.flatMap { $0 }, to: point.parameters[0])
    }
}
