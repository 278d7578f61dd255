/// A manifold update for one size on one backend that computes the weight from one skew-symmetric matrix B.
public protocol SkewWorkspace: ManifoldWorkspace {
    /// The number n of rows and columns of B and W.
    var size: Int { get }
    /// The backend that holds the matrices.
    var backend: any Backend { get }

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

extension SkewWorkspace {
    public var parameters: [ManifoldMatrix] { [.skew(size: size)] }

    public func computeWeight(at point: ManifoldPoint, into weight: MatrixView) throws {
        try computeWeight(from: point.parameters[0], into: weight)
    }

    public func parameterGradients(
        weightGradient gradient: MatrixView, weight: MatrixView, at point: ManifoldPoint, into results: [MatrixView]
    ) throws {
        try parameterGradient(
            weightGradient: gradient, weight: weight, parameter: point.parameters[0], into: results[0])
    }

    public func adopt(_ weight: MatrixView, into point: ManifoldPoint) throws {
        try computeParameter(from: weight, into: point.parameters[0])
    }

    public func computeParameter(from weight: MatrixView, into parameter: MatrixView) throws {
        throw RecurrentError.linearAlgebra(
            "this manifold update can't start from a given weight; choose another `manifold`")
    }

    /// Sets B to B₀, so that W is the update's own function of B₀.
    public func initialize(_ point: ManifoldPoint, skew: MatrixView, random: inout RandomStream) throws {
        backend.copy(skew, to: point.parameters[0])
    }
}
