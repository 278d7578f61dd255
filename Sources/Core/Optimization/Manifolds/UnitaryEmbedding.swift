/// The workspace of an update for unitary weights, computed by its workspace for orthogonal weights of twice the size.
///
/// The map `A + iS ↦ [[A, −S], [S, A]]` takes products to products, unitary matrices to orthogonal ones and skew-Hermitian
/// matrices to skew-symmetric ones. So a function of skew-symmetric matrices that is made of products, inverses and
/// sums serves skew-Hermitian ones, too, at eight times the cost of the same size in real numbers. Parameters are stored as
/// [X; Y], so that they have their structure exactly; where the two copies of a computed block round differently, their
/// mean counts.
public final class UnitaryEmbedding: ManifoldWorkspace {
    public let parameters: [ManifoldMatrix]
    public let base: [ManifoldMatrix]
    private let size: Int
    private let backend: any Backend
    private let inner: any ManifoldWorkspace
    private let innerPoint: ManifoldPoint
    private let innerGradients: [MatrixView]
    /// The embedded weight and its gradient.
    private let weight: MatrixView, gradient: MatrixView
    private let negate: any Kernel, sum: any Kernel, difference: any Kernel
    private let inverse: ((_ weight: MatrixView, _ point: ManifoldPoint) throws -> Void)?

    /// Creates a workspace for weights [A; S] of [2 · size, size].
    ///
    /// - Parameters:
    ///   - inner: the workspace for orthogonal matrices [2 · size, 2 · size]; its parameters are skew-symmetric, and all
    ///     matrices of its points have this size.
    ///   - size: the number n of rows and columns of A and S.
    ///   - backend: the backend that holds the matrices.
    ///   - inverse: sets a point to that of a given weight in place of the inner workspace, which may choose one that isn't
    ///     that of a complex matrix; nil if it never does.
    /// - Throws: what the backend throws.
    public init(
        _ inner: any ManifoldWorkspace, size: Int, on backend: any Backend,
        inverse: ((_ weight: MatrixView, _ point: ManifoldPoint) throws -> Void)? = nil
    ) throws {
        (self.inner, self.size, self.backend, self.inverse) = (inner, size, backend, inverse)
        let all = inner.parameters + inner.base
        precondition(
            inner.parameters.allSatisfy { $0.structure == .skew }
                && all.allSatisfy { $0.rows == 2 * size && $0.columns == 2 * size },
            "only functions of skew-symmetric matrices can be embedded")
        parameters = inner.parameters.map { .skewHermitian($0.name, size: size) }
        base = inner.base.map { ManifoldMatrix($0.name, rows: 2 * size, columns: size) }
        innerPoint = try ManifoldPoint(for: inner, on: backend)
        func matrix() throws -> MatrixView { try backend.allocate(rows: 2 * size, columns: 2 * size) }
        innerGradients = try inner.parameters.map { _ in try matrix() }
        (weight, gradient) = (try matrix(), try matrix())
        negate = try backend.compile(PointwiseProgram(inputs: 1) { x, _ in [-x[0]] })
        sum = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [0.5 * (x[0] + x[1])] })
        difference = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [0.5 * (x[0] - x[1])] })
    }

    /// Writes [[A, −S], [S, A]] for [A; S].
    private func embed(_ matrix: MatrixView, into result: MatrixView) {
        let n = size, (real, imaginary) = (matrix.rows(0..<n), matrix.rows(n..<2 * n))
        let top = result.rows(0..<n), bottom = result.rows(n..<2 * n)
        backend.copy(real, to: top.columns(0..<n))
        backend.copy(real, to: bottom.columns(n..<2 * n))
        backend.copy(imaginary, to: bottom.columns(0..<n))
        backend.run(negate, inputs: [imaginary], outputs: [top.columns(n..<2 * n)])
    }

    /// Writes [A; S] for [[A, −S], [S, A]]: the mean of both copies of each block.
    private func extract(_ matrix: MatrixView, into result: MatrixView) {
        let n = size, top = matrix.rows(0..<n), bottom = matrix.rows(n..<2 * n)
        backend.run(
            sum, inputs: [top.columns(0..<n), bottom.columns(n..<2 * n)], outputs: [result.rows(0..<n)])
        backend.run(
            difference, inputs: [bottom.columns(0..<n), top.columns(n..<2 * n)], outputs: [result.rows(n..<2 * n)])
    }

    private func embed(_ point: ManifoldPoint) {
        for (outer, inner) in zip(point.matrices, innerPoint.matrices) { embed(outer, into: inner) }
    }

    private func extract(into point: ManifoldPoint) {
        for (outer, inner) in zip(point.matrices, innerPoint.matrices) { extract(inner, into: outer) }
    }

    public func initialize(_ point: ManifoldPoint, skew: MatrixView, random: inout RandomStream) throws {
        embed(point)
        embed(skew, into: gradient)
        try inner.initialize(innerPoint, skew: gradient, random: &random)
        extract(into: point)
    }

    public func adopt(_ weight: MatrixView, into point: ManifoldPoint) throws {
        if let inverse { return try inverse(weight, point) }
        embed(weight, into: self.weight)
        try inner.adopt(self.weight, into: innerPoint)
        extract(into: point)
    }

    public func beginStep(_ step: Int, at point: ManifoldPoint, weight: MatrixView, gate: MatrixView?) throws {
        guard !base.isEmpty else { return }
        embed(point)
        embed(weight, into: self.weight)
        try inner.beginStep(step, at: innerPoint, weight: self.weight, gate: gate)
        extract(into: point)
    }

    public func computeWeight(at point: ManifoldPoint, into weight: MatrixView) throws {
        embed(point)
        try inner.computeWeight(at: innerPoint, into: self.weight)
        extract(self.weight, into: weight)
    }

    public func parameterGradients(
        weightGradient gradient: MatrixView, weight: MatrixView, at point: ManifoldPoint, into results: [MatrixView]
    ) throws {
        embed(point)
        embed(weight, into: self.weight)
        // Both copies of a block have its gradient, which makes the inner gradient twice the derivative of each.
        embed(gradient, into: self.gradient)
        try inner.parameterGradients(
            weightGradient: self.gradient, weight: self.weight, at: innerPoint, into: innerGradients)
        // The mean of two exactly skew blocks is exactly skew, and that of a block and its transpose symmetric.
        for (inner, result) in zip(innerGradients, results) { extract(inner, into: result) }
    }
}
