/// A parametrisation of the orthogonal matrices by skew-symmetric ones.
///
/// An orthogonal weight `W` [n, n] has an unconstrained parameter `B` (skew,
/// `Bᵀ = -B`). Any optimizer steps `B` along the gradient that its ``ManifoldWorkspace`` gives;
/// then `W` is recomputed from `B`, so that errors don't accumulate.
public protocol ManifoldUpdate: Sendable {
    /// The name on the command line, in lower-case words joined by hyphens.
    var name: String { get }
    /// A description in one line, for `cli list`.
    var summary: String { get }
    /// Creates a workspace with kernels and scratch memory for matrices [size, size].
    ///
    /// - Throws: what the backend throws.
    func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace
}

/// A manifold update for one size on one backend, with its own memory.
public protocol ManifoldWorkspace: AnyObject {
    /// Computes the orthogonal matrix that belongs to a skew parameter.
    ///
    /// - Parameters:
    ///   - parameter: the skew matrix B [n, n], packed.
    ///   - weight: where W is written, [n, n]; it may have a row stride.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if W can't be computed.
    func computeWeight(from parameter: MatrixView, into weight: MatrixView) throws

    /// Computes the gradient of the loss with respect to the skew parameter.
    ///
    /// For an exact update, element (i, j) is the derivative with respect to
    /// `B_ij` when `B_ji = -B_ij` moves with it. It is exactly skew-symmetric.
    ///
    /// - Parameters:
    ///   - gradient: the gradient `∂J/∂W` of the weight, [n, n].
    ///   - weight: the weight `W` at `parameter`, [n, n].
    ///   - parameter: the skew matrix B [n, n], packed.
    ///   - result: where the gradient of B is written, [n, n], packed.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if it can't be computed.
    func parameterGradient(
        weightGradient gradient: MatrixView, weight: MatrixView, parameter: MatrixView, into result: MatrixView) throws

    /// Computes a skew matrix whose weight is `weight`: the inverse of
    /// ``computeWeight(from:into:)``, for training that starts from a given weight.
    ///
    /// - Parameters:
    ///   - weight: the orthogonal matrix W [n, n].
    ///   - parameter: where B is written, [n, n].
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if there is no such matrix; the default
    ///   implementation always throws it.
    func computeParameter(from weight: MatrixView, into parameter: MatrixView) throws
}

extension ManifoldWorkspace {
    public func computeParameter(from weight: MatrixView, into parameter: MatrixView) throws {
        throw RecurrentError.linearAlgebra(
            "this manifold update can't start from a given weight; choose another `manifold`")
    }
}

/// An initialization of the skew parameter B.
public protocol SkewInitialization: Sendable {
    /// The name on the command line, in lower-case words joined by hyphens.
    var name: String { get }
    /// A description in one line, for `cli list`.
    var summary: String { get }
    /// Returns an exactly skew-symmetric matrix [size, size], row by row.
    func values(size: Int, random: inout RandomStream) -> [Double]
}
