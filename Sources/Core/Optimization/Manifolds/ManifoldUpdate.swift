/// A parametrisation of the orthogonal matrices, or of the unitary ones, along which any optimizer can train a weight.
///
/// The weight `W` is computed from a ``ManifoldPoint``: unconstrained parameters, such as a skew-symmetric matrix
/// `B`, which any optimizer steps along the gradients that a ``ManifoldWorkspace`` gives, and a base, such as
/// the `W` from which `B` counts. After each step `W` is computed anew, so that errors don't accumulate.
///
/// Most updates compute `W` from one skew-symmetric `B`; their workspaces are ``SkewWorkspace``s.
public protocol ManifoldUpdate: Sendable {
    /// The name on the command line, in lower-case words joined by hyphens.
    var name: String { get }
    /// A description in one line, for `cli list`.
    var summary: String { get }
    /// Which weights the update is for, and what it keeps; ``ManifoldTraits``'s own defaults unless it says otherwise.
    var traits: ManifoldTraits { get }
    /// Creates a workspace with kernels and scratch memory for real weights [size, size].
    ///
    /// - Throws: what the backend throws.
    func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace
    /// Creates a workspace for unitary weights `A + iS`, stored as [A; S] with 2 · size rows and size columns.
    ///
    /// By default, it is a ``UnitaryEmbedding`` of the workspace for real weights of twice the size.
    ///
    /// - Throws: what the backend throws.
    func makeUnitaryWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace
}

extension ManifoldUpdate {
    public var traits: ManifoldTraits { ManifoldTraits() }
    public func makeUnitaryWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try UnitaryEmbedding(makeWorkspace(size: 2 * size, on: backend), size: size, on: backend)
    }

    /// Creates a workspace for weights of either kind.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the update isn't for weights of this kind, and what the backend
    ///   throws.
    public func makeWorkspace(
        _ field: WeightField, size: Int, on backend: any Backend
    ) throws -> any ManifoldWorkspace {
        guard traits.fields.contains(field) else {
            throw RecurrentError.invalidOption(
                field == .real
                    ? "`manifold` \(name) keeps complex weights unitary, but this cell's weights are real; choose a complex cell or another `manifold`"
                    : "`manifold` \(name) keeps real weights orthogonal, but this cell's weights are complex; choose a real cell or another `manifold`"
            )
        }
        return try field == .real
            ? makeWorkspace(size: size, on: backend) : makeUnitaryWorkspace(size: size, on: backend)
    }
}

/// A manifold update for one size on one backend, with its own memory.
public protocol ManifoldWorkspace: AnyObject {
    /// The unconstrained parameters, which an optimizer steps.
    var parameters: [ManifoldMatrix] { get }
    /// What is saved with the parameters and isn't stepped by an optimizer; none by default.
    var base: [ManifoldMatrix] { get }

    /// Sets a point for the start of training.
    ///
    /// - Parameters:
    ///   - point: the point to set; all its elements are 0.
    ///   - skew: the initial matrix B₀, packed: [n, n] and skew-symmetric for real weights; [X; Y] of [2n, n] for
    ///     `X + iY` skew-Hermitian for unitary ones.
    ///   - random: the stream from which B₀ was drawn, for parameters that B₀ doesn't determine.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the point can't be computed.
    func initialize(_ point: ManifoldPoint, skew: MatrixView, random: inout RandomStream) throws

    /// Sets a point to one whose weight is `weight`, for training that starts from a given weight.
    ///
    /// - Parameters:
    ///   - weight: the weight W: [n, n], or [2n, n] if it is unitary; it may have a row stride.
    ///   - point: the point to set.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if there is no such point.
    func adopt(_ weight: MatrixView, into point: ManifoldPoint) throws

    /// Prepares a point for a step, before the gradient is computed: an update whose base moves makes it the present
    /// weight, and the parameter 0. By default, nothing happens. The state that optimizers keep for the parameters
    /// doesn't change.
    ///
    /// - Parameters:
    ///   - step: the number of the step, from 1.
    ///   - point: the point, which may move as long as its weight stays the same.
    ///   - weight: the weight at the point.
    ///   - gate: a number [1, 1] on the backend; if it is infinite or NaN when the device reads it, the point must not
    ///     move. Nil to move in any case.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the point can't be prepared.
    func beginStep(_ step: Int, at point: ManifoldPoint, weight: MatrixView, gate: MatrixView?) throws

    /// Computes the weight at a point.
    ///
    /// - Parameters:
    ///   - point: the parameters and the base, packed.
    ///   - weight: where W is written: [n, n], or [2n, n] if it is unitary; it may have a row stride.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if W can't be computed.
    func computeWeight(at point: ManifoldPoint, into weight: MatrixView) throws

    /// Computes the gradients of the loss with respect to the parameters, where the base stays as it is.
    ///
    /// The last call of ``computeWeight(at:into:)`` was at a point with this weight, so what it computed may be used.
    ///
    /// For an exact update, the element of a free parameter is the derivative with respect to it, and that of
    /// a skew-symmetric B the derivative with respect to `B_ij` when `B_ji = -B_ij` moves with it, so that the matrix
    /// is exactly skew-symmetric. A skew-Hermitian `X + iY` has the gradient [D; E] with D exactly skew-symmetric and
    /// E exactly symmetric, for which `dJ = ½ Σ (D · dX + E · dY)`: an element on the diagonal of E is twice the
    /// derivative.
    ///
    /// - Parameters:
    ///   - gradient: the gradient `∂J/∂W` of the weight, in its shape.
    ///   - weight: the weight `W` at the point.
    ///   - point: the parameters and the base, packed.
    ///   - results: where the gradients are written, one for each parameter in its shape, packed.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if they can't be computed.
    func parameterGradients(
        weightGradient gradient: MatrixView, weight: MatrixView, at point: ManifoldPoint, into results: [MatrixView])
        throws
}

extension ManifoldWorkspace {
    public var base: [ManifoldMatrix] { [] }
    public func beginStep(_ step: Int, at point: ManifoldPoint, weight: MatrixView, gate: MatrixView?) throws {}
}

/// An initialization of the skew parameter B.
public protocol SkewInitialization: Sendable {
    /// The name on the command line, in lower-case words joined by hyphens.
    var name: String { get }
    /// A description in one line, for `cli list`.
    var summary: String { get }
    /// Returns an exactly skew-symmetric matrix [size, size], row by row.
    func values(size: Int, random: inout RandomStream) -> [Double]
    /// Returns an exactly skew-Hermitian matrix `X + iY`, as X and then Y, row by row: X [size, size] is skew-symmetric and
    /// Y [size, size] symmetric. By default, X is ``values(size:random:)`` and Y is 0.
    func complexValues(size: Int, random: inout RandomStream) -> [Double]
}

extension SkewInitialization {
    public func complexValues(size: Int, random: inout RandomStream) -> [Double] {
        values(size: size, random: &random) + [Double](repeating: 0, count: size * size)
    }

    /// Returns the initial B [n, n], or [2n, n] for a unitary weight.
    func values(_ field: WeightField, size: Int, random: inout RandomStream) -> [Double] {
        field == .real ? values(size: size, random: &random) : complexValues(size: size, random: &random)
    }
}
