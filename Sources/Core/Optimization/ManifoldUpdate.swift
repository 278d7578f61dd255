/// A parametrisation of the orthogonal matrices by skew-symmetric ones.
///
/// An orthogonal weight `W` [n, n] has an unconstrained parameter `B` (skew,
/// `Bᵀ = -B`). Any optimizer steps `B` along the gradient that its ``ManifoldWorkspace`` gives;
/// then `W` is computed anew from `B`, so that errors don't accumulate.
public protocol ManifoldUpdate: Sendable {
    var name: String { get }
    /// One line for `cli list`.
    var summary: String { get }
    /// Prepares kernels and scratch memory for matrices of one size.
    func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace
}

/// A manifold update for one size on one backend, with memory of its own.
public protocol ManifoldWorkspace: AnyObject {
    /// `weight` [n, n] ← the orthogonal matrix of `parameter` [n, n], packed both;
    /// `weight` may have a row stride.
    func computeWeight(from parameter: MatrixView, into weight: MatrixView) throws

    /// The gradient of the loss with respect to the skew parameter.
    ///
    /// For an exact update, element (i, j) is the derivative with respect to
    /// `B_ij` when `B_ji = -B_ij` moves with it. It is exactly skew-symmetric.
    ///
    /// - Parameters:
    ///   - gradient: `∂J/∂W` [n, n].
    ///   - weight: `W` at `parameter`.
    ///   - parameter: B [n, n], packed.
    ///   - result: [n, n], packed.
    func parameterGradient(
        weightGradient gradient: MatrixView, weight: MatrixView, parameter: MatrixView, into result: MatrixView) throws

    /// `parameter` [n, n] ← a skew matrix whose weight is `weight`: the inverse of
    /// ``computeWeight(from:into:)``, for training that starts from a given weight.
    ///
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if there is none; by default always.
    func computeParameter(from weight: MatrixView, into parameter: MatrixView) throws
}

extension ManifoldWorkspace {
    public func computeParameter(from weight: MatrixView, into parameter: MatrixView) throws {
        throw RecurrentError.linearAlgebra(
            "this manifold update can't start from a given weight; choose another `manifold`")
    }
}

/// How the skew parameter starts.
public protocol SkewInitialization: Sendable {
    var name: String { get }
    /// One line for `cli list`.
    var summary: String { get }
    /// An exactly skew-symmetric matrix, row by row [size · size].
    func values(size: Int, random: inout RandomStream) -> [Double]
}
