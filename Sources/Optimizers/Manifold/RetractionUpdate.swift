import RecurrentCore

/// Riemannian steps on W itself: `W ← R(W, B)` for the optimizer's step B from 0, along the gradient `G Wᵀ − W Gᵀ`.
///
/// A retraction R agrees with the geodesic to first order in B, and is cheaper:
///
/// - `polar`: the orthogonal matrix nearest to `W + B W` (Absil & Malick 2012), by products only;
/// - `qr`: the factor Q of `W + B W = Q R` with a positive diagonal of R (Absil, Mahony & Sepulchre 2008), by products only;
/// - `cayley`: `(I − B/2)⁻¹ (I + B/2) W` (Wisdom, Powers, Hershey, Le Roux & Atlas 2016), by a linear solve.
///
/// Errors don't accumulate: each step ends with an iteration towards orthogonality. A step keeps the determinant, so W
/// stays a rotation or a reflection, whichever it is at the start.
public struct RetractionUpdate: ManifoldUpdate, Plugin {
    /// A function that takes a step along a tangent back to the manifold.
    public enum Retraction: String, Sendable, CaseIterable {
        /// The nearest orthogonal matrix.
        case polar
        /// The orthogonal factor of a QR decomposition.
        case qr
        /// The Cayley transform of the step.
        case cayley
    }
    public static let name = "retraction"
    public static let summary = "Riemannian steps on W itself: polar, QR or Cayley retractions"
    /// The choice of the retraction.
    public struct Options: OptionSection {
        /// The function that takes a step back to the manifold.
        public var retraction = Retraction.polar
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .choice("retractionMethod", \.retraction, "How a step is taken back to the orthogonal matrices.")
        ]
    }
    /// The function that takes a step back to the manifold.
    public let retraction: Retraction
    public var traits: ManifoldTraits { ManifoldTraits(starts: .anywhere) }

    public init(options: Options) { retraction = options.retraction }
    /// Creates the update.
    ///
    /// - Parameter retraction: the function that takes a step back to the manifold.
    public init(_ retraction: Retraction = .polar) { self.retraction = retraction }

    public func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        let map: any BasedMap =
            switch retraction {
            case .polar, .qr: try ProjectionMap(size: size, isTriangular: retraction == .qr, on: backend)
            case .cayley:
                try ProductMap(CayleyUpdate.Workspace(size: size, on: backend), isAtZero: true, on: backend)
            }
        return try BasedWorkspace(size: size, on: backend, map: map, period: 1)
    }

    public func makeUnitaryWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        guard retraction != .qr else {
            // The factor Q of a complex matrix isn't that of its embedding.
            let map = try ProjectionMap(size: 2 * size, isTriangular: true, blocks: size, on: backend)
            let inner = try BasedWorkspace(size: 2 * size, on: backend, map: map, period: 1)
            return try UnitaryEmbedding(inner, size: size, on: backend)
        }
        return try UnitaryEmbedding(makeWorkspace(size: 2 * size, on: backend), size: size, on: backend)
    }
}

/// The orthogonal factor of `W₀ + B W₀` in a polar or a QR decomposition, by products only.
///
/// `X ← X (I − M(XᵀX − I))` converges quadratically to an orthogonal matrix. With M(E) = E / 2 this is Newton–Schulz, whose
/// limit is the polar factor. With half the diagonal and all of the upper triangle of E, X is always `W₀ + B W₀` times an
/// upper triangular matrix with a positive diagonal, so that its limit is Q.
final class ProjectionMap: BasedMap {
    private let program: any MatrixProgramExecutor
    private let mask: MatrixView
    private let skewProduct: SkewProduct

    /// Creates a map.
    ///
    /// - Parameter blocks: the size n if the matrices are [[A, −S], [S, A]] with A of [n, n], in which column j and column
    ///   n + j are one column of a complex matrix; nil if they are real.
    init(size: Int, isTriangular: Bool, blocks: Int? = nil, on backend: any Backend) throws {
        let modulus = blocks ?? size
        mask = try backend.makeMatrix(
            (0..<size * size).map { place -> Float in
                let (i, j) = (place / size % modulus, place % size % modulus)
                return !isTriangular || i == j ? 0.5 : i < j ? 1 : 0
            }, rows: size, columns: size)
        program = try backend.makeMatrixProgram(Self.program(backend.scalarType), size: size)
        skewProduct = try SkewProduct(size: size, on: backend)
    }

    func computeWeight(from parameter: MatrixView, base: MatrixView, into weight: MatrixView) throws {
        try program.run(inputs: [parameter, base, mask], outputs: [weight])
    }

    /// B is 0 wherever the gradient is computed.
    func parameterGradient(
        weightGradient: MatrixView, weight: MatrixView, parameter: MatrixView, into result: MatrixView
    ) throws {
        skewProduct(weightGradient, weight.transposed, into: result)
    }

    private static func program(_ type: ScalarType) -> MatrixProgram {
        // The last iteration squares what is left.
        let limit = type == .float64 ? 1e-8 : 1e-4
        return MatrixProgramBuilder(inputs: 3, outputs: 1).program { p in
            let (skew, base, mask) = (p.inputs[0], p.inputs[1], p.inputs[2])
            let current = p.matrix(), other = p.matrix(), gram = p.matrix(), factor = p.matrix()
            let bound = p.scalar(), scale = p.scalar()
            p.product(skew, base, plus: 1, base, into: current)
            p.product(current.transposed, current, into: gram)
            p.norm(gram, into: bound)
            p.require(finite: bound, orElse: RecurrentError.skewNotFiniteMessage)
            // The iteration converges if no singular value is above 1.
            p.branch(on: [bound], { $0[0] > 1.5 }) {
                p.compute([scale], from: [bound]) { [1 / sqrt($0[0])] }
                p.run(scaling, [current], scalars: [.value(of: scale)], into: [current])
                p.product(current.transposed, current, into: gram)
            }
            p.run(distance, identityAnd: [gram], into: [gram])
            p.norm(gram, into: bound)
            p.loop(atMost: 200, while: [bound], { $0[0] > SymbolicValue(limit) }) {
                p.run(step, identityAnd: [mask, gram], into: [factor])
                p.product(current, factor, into: other)
                p.exchange(current, other)
                p.product(current.transposed, current, into: gram)
                p.run(distance, identityAnd: [gram], into: [gram])
                p.norm(gram, into: bound)
            }
            p.run(step, identityAnd: [mask, gram], into: [factor])
            p.product(current, factor, into: p.outputs[0])
        }
    }

    private static let scaling = PointwiseProgram(inputs: 1, scalars: 1) { x, s in [x[0] * s[0]] }
    private static let distance = PointwiseProgram(inputs: 2) { x, _ in [x[1] - x[0]] }
    private static let step = PointwiseProgram(inputs: 3) { x, _ in [x[0] - x[1] * x[2]] }
}
