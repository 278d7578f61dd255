import RecurrentCore

/// Products of k Householder reflections, `W = H(v₁) … H(v_k)` with `H(v) = I − 2 v vᵀ / ‖v‖²`, with the exact gradient
/// (Mhammedi, Hellicar, Rahman & Bailey 2017, “oRNN”).
///
/// The parameter is V [k, n], whose rows are the vectors; it isn't skew. The determinant is (−1)^k. With n reflections, or
/// n − 1 if n is odd, every rotation can be reached; with fewer, the eigenvalue 1 has at least the multiplicity n − k.
///
/// The product is computed at once, as `I − Uᵀ M⁻¹ U`, where U are the normalized rows and M the upper triangle of `U Uᵀ`
/// with half its diagonal (Joffrain, Low, Quintana-Ortí, van de Geijn & Van Zee 2006): products and one linear solve.
public struct HouseholderUpdate: ManifoldUpdate, Plugin {
    public static let name = "householder"
    public static let summary = "W = H(v₁) … H(v_k), a product of k reflections with its exact gradient (oRNN)"
    /// The choice of the number of reflections.
    public struct Options: OptionSection {
        /// The number k of reflections; nil for n, or n + 1 if n is odd, so that W is a rotation.
        public var reflections: Int?
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .integer(
                "reflections", \.reflections, 1...1_000_000,
                "Number of reflections, at most 2 H + 2; their determinant is −1 if it is odd (default: H, rounded up to even)."
            )
        ]
    }
    /// The number k of reflections; nil for n, or n + 1 if n is odd.
    public let reflections: Int?
    public var traits: ManifoldTraits {
        ManifoldTraits(fields: [.real], starts: (reflections ?? 2) % 2 == 0 ? .rotations : .reflections)
    }

    public init(options: Options) { self.init(reflections: options.reflections) }
    /// Creates the update.
    ///
    /// - Parameter reflections: the number of reflections, at least 1; nil for n, or n + 1 if n is odd.
    public init(reflections: Int? = nil) {
        precondition(reflections ?? 1 >= 1, "there must be at least one reflection")
        self.reflections = reflections
    }

    public func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        // n reflections give any orthogonal matrix of their determinant, and one more those of the other; twice as many are
        // more than enough.
        guard reflections ?? 1 <= 2 * (size + 1) else {
            throw RecurrentError.invalidOption(
                "`reflections` must be at most \(2 * (size + 1)) for \(size) units, not \(reflections!)")
        }
        return try HouseholderWorkspace(size: size, count: reflections ?? size + size % 2, on: backend)
    }
}

final class HouseholderWorkspace: ManifoldWorkspace {
    let parameters: [ManifoldMatrix]
    private let size: Int, count: Int
    private let backend: any Backend
    private let identity: MatrixView, mask: MatrixView
    /// The normalized vectors U [k, n], and their lengths [k, 1].
    private let units: MatrixView, lengths: MatrixView, overlaps: MatrixView
    /// M, or its transpose, and what a solve makes of U: `M⁻¹ U` and `M⁻ᵀ U`.
    private let triangle: MatrixView, solved: MatrixView, transposedSolved: MatrixView
    private let gram: MatrixView, inner: MatrixView, product: MatrixView, wide: MatrixView
    private let polish: NewtonSchulz
    private let root: any Kernel, divide: any Kernel, multiply: any Kernel
    private let symmetrize: any Kernel, subtract: any Kernel, project: any Kernel

    init(size: Int, count: Int, on backend: any Backend) throws {
        (self.size, self.count, self.backend) = (size, count, backend)
        parameters = [ManifoldMatrix("", rows: count, columns: size)]
        func matrix(_ rows: Int, _ columns: Int) throws -> MatrixView {
            try backend.allocate(rows: rows, columns: columns)
        }
        identity = try backend.makeMatrix(
            (0..<size * size).map { $0 / size == $0 % size ? Float(1) : 0 }, rows: size, columns: size)
        mask = try backend.makeMatrix(
            (0..<count * count).map { place -> Float in
                let (i, j) = (place / count, place % count)
                return i == j ? 0.5 : i < j ? 1 : 0
            }, rows: count, columns: count)
        (units, lengths, solved) = (try matrix(count, size), try matrix(count, 1), try matrix(count, size))
        (transposedSolved, wide) = (try matrix(count, size), try matrix(count, size))
        (triangle, gram, inner) = (try matrix(count, count), try matrix(count, count), try matrix(count, count))
        (product, overlaps) = (try matrix(size, size), try matrix(count, 1))
        polish = try NewtonSchulz(size: size, on: backend)
        func kernel(_ inputs: Int, _ equation: ([SymbolicValue]) -> SymbolicValue) throws -> any Kernel {
            try backend.compile(PointwiseProgram(inputs: inputs) { x, _ in [equation(x)] })
        }
        root = try kernel(1) { sqrt($0[0]) }
        divide = try kernel(2) { $0[0] / $0[1] }
        multiply = try kernel(2) { $0[0] * $0[1] }
        symmetrize = try kernel(4) { $0[0] * $0[2] + $0[1] * $0[3] }
        subtract = try kernel(2) { $0[0] - $0[1] }
        // The part across u of a gradient with respect to u, divided by the length of v.
        project = try kernel(4) { ($0[0] - $0[1] * $0[2]) / $0[3] }
    }

    private func across(_ column: MatrixView) -> MatrixView { column.broadcast(rows: count, columns: size) }

    func computeWeight(at point: ManifoldPoint, into weight: MatrixView) throws {
        try normalize(point.parameters[0])
        backend.run(multiply, inputs: [gram, mask], outputs: [triangle])
        backend.copy(units, to: solved)
        try backend.solve(triangle, solved)
        backend.copy(identity, to: product)
        backend.gemm(alpha: -1, units.transposed, solved, beta: 1, product)
        polish(product, into: weight)
    }

    /// Computes U, the lengths and `U Uᵀ`.
    private func normalize(_ vectors: MatrixView) throws {
        backend.run(multiply, inputs: [vectors, vectors], outputs: [wide])
        backend.reduceRows(.sum, wide, into: lengths)
        let squares: [Double] = backend.download(lengths)
        guard squares.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw RecurrentError.linearAlgebra(
                "a reflection's vector is zero or no longer finite; try a lower learning rate")
        }
        backend.run(root, inputs: [lengths], outputs: [lengths])
        backend.run(divide, inputs: [vectors, across(lengths)], outputs: [units])
        backend.gemm(units, units.transposed, into: gram)
    }

    func parameterGradients(
        weightGradient: MatrixView, weight: MatrixView, at point: ManifoldPoint, into results: [MatrixView]
    ) throws {
        // U, its lengths, U Uᵀ and M⁻¹ U are those of the weight.
        backend.run(multiply, inputs: [gram, mask.transposed], outputs: [triangle])
        backend.copy(units, to: transposedSolved)
        try backend.solve(triangle, transposedSolved)
        // With Z = M⁻¹ U and P = M⁻ᵀ U: ∂J/∂U = −Z Gᵀ − P G + (Q + Qᵀ) U, where Q is P G Zᵀ with the mask of M.
        let result = results[0]
        backend.gemm(transposedSolved, weightGradient, into: wide)
        backend.gemm(wide, solved.transposed, into: inner)
        backend.run(symmetrize, inputs: [inner, inner.transposed, mask, mask.transposed], outputs: [triangle])
        backend.gemm(triangle, units, into: result)
        backend.gemm(alpha: -1, solved, weightGradient.transposed, beta: 1, result)
        backend.run(subtract, inputs: [result, wide], outputs: [result])
        backend.run(multiply, inputs: [result, units], outputs: [wide])
        backend.reduceRows(.sum, wide, into: overlaps)
        backend.run(project, inputs: [result, units, across(overlaps), across(lengths)], outputs: [result])
    }

    /// Starts at `exp(B₀)`: in each of the planes that B₀ turns, two reflections make the rotation. Planes of the smallest
    /// angles are left out if there aren't enough reflections; one that is left over reflects the last unit.
    func initialize(_ point: ManifoldPoint, skew: MatrixView, random: inout RandomStream) throws {
        set(point, try planes(skew))
    }

    func adopt(_ weight: MatrixView, into point: ManifoldPoint) throws {
        let packed = try backend.allocate(rows: size, columns: size)
        backend.copy(weight, to: packed)
        guard try OrthogonalSpectrum.isRotation(packed, on: backend) == (count % 2 == 0) else {
            throw RecurrentError.linearAlgebra(
                "a product of \(count) reflections has the determinant \(count % 2 == 0 ? "1" : "−1"), not that of the given weight; choose an \(count % 2 == 0 ? "odd" : "even") number of `reflections`"
            )
        }
        var values: [Double] = backend.download(packed)
        if count % 2 == 1 {
            // The last reflection turns W into a rotation.
            for row in 0..<size { values[row * size + size - 1] *= -1 }
            backend.upload(values, to: packed)
        }
        let skew = try backend.allocate(rows: size, columns: size)
        try SkewLogarithm(size: size, on: backend)(packed, into: skew)
        let planes = try planes(skew)
        let needed = 2 * planes.count { $0.value > 1e-4 } + count % 2
        guard needed <= count else {
            throw RecurrentError.linearAlgebra(
                "the given weight is a product of \(needed) reflections of this form, more than \(count); choose more `reflections`"
            )
        }
        set(point, planes)
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

    private func set(_ point: ManifoldPoint, _ planes: [(x: [Double], y: [Double], value: Double)]) {
        var vectors: [[Double]] = []
        for plane in planes where vectors.count + 2 <= count {
            let (c, s) = (RealFunctions.cos(plane.value / 2), RealFunctions.sin(plane.value / 2))
            vectors.append(zip(plane.x, plane.y).map { c * $0 + s * $1 })
            vectors.append(plane.x)
        }
        while vectors.count < count { vectors.append((0..<size).map { $0 == size - 1 ? 1 : 0 }) }
        backend.upload(vectors.flatMap { $0 }, to: point.parameters[0])
    }
}
