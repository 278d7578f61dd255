import RecurrentCore

/// The weights `W = H(v₁) … H(v_k) D` of ``HouseholderUpdate`` for complex numbers, with a diagonal D of phases.
final class UnitaryHouseholderWorkspace: ManifoldWorkspace {
    /// The rows vᴴ, real parts and then imaginary parts, and the angles of D.
    let parameters: [ManifoldMatrix]
    private let size: Int, count: Int
    private let backend: any Backend
    private let reflections: ReflectionProduct
    private let diagonal: PhaseDiagonal
    /// The cosines and the sines of the angles, [2, n].
    private let phases: MatrixView
    /// The product of the reflections, and that or a gradient times D or its adjoint.
    private let product: MatrixView, turned: MatrixView
    private let polish: NewtonSchulz

    init(size n: Int, count k: Int, on backend: any Backend) throws {
        (size, count, self.backend) = (n, k, backend)
        parameters = [
            ManifoldMatrix("reflections", rows: k, columns: 2 * n), ManifoldMatrix("angles", rows: 1, columns: n),
        ]
        reflections = try ReflectionProduct(.complex, size: n, count: k, on: backend)
        diagonal = try PhaseDiagonal(on: backend)
        phases = try backend.allocate(rows: 2, columns: n)
        (product, turned) = (
            try backend.allocate(rows: 2 * n, columns: n), try backend.allocate(rows: 2 * n, columns: n)
        )
        polish = try NewtonSchulz(size: n, .complex, on: backend)
    }

    /// The phases of the columns of a weight.
    private var columnPhases: [MatrixView] {
        (0..<2).map { phases.rows($0..<$0 + 1).broadcast(rows: size, columns: size) }
    }

    func computeWeight(at point: ManifoldPoint, into weight: MatrixView) throws {
        let angles: [Double] = backend.download(point.parameters[1])
        guard angles.allSatisfy(\.isFinite) else {
            throw RecurrentError.linearAlgebra("the angles are no longer finite; try a lower learning rate")
        }
        backend.upload(angles.map(RealFunctions.cos) + angles.map(RealFunctions.sin), to: phases)
        try reflections(point.parameters[0], into: product)
        diagonal(product, columnPhases, into: turned)
        polish(turned, into: weight)
    }

    func parameterGradients(
        weightGradient: MatrixView, weight: MatrixView, at point: ManifoldPoint, into results: [MatrixView]
    ) throws {
        let slopes = turned.rows(0..<size)
        diagonal.slopes(weightGradient, weight, into: slopes)
        backend.sumColumns(slopes, beta: 0, into: results[1])
        diagonal(weightGradient, columnPhases, conjugate: true, into: turned)
        try reflections.gradient(turned, into: results[0])
    }

    /// Starts at `exp(B₀)`, or with k of its columns if there are fewer than n − 1 reflections.
    func initialize(_ point: ManifoldPoint, skew: MatrixView, random: inout RandomStream) throws {
        let rotation = try backend.allocate(rows: 2 * size, columns: size)
        try ExponentialUpdate().makeUnitaryWorkspace(size: size, on: backend).computeWeight(
            at: ManifoldPoint(skew), into: rotation)
        set(point, UnitaryReflections(backend.download(rotation), size: size, count: count))
    }

    func adopt(_ weight: MatrixView, into point: ManifoldPoint) throws {
        let values: [Double] = backend.download(weight)
        guard values.allSatisfy(\.isFinite) else {
            throw RecurrentError.linearAlgebra("the given weight holds numbers that aren't finite")
        }
        let factors = UnitaryReflections(values, size: size, count: count)
        guard factors.needed <= count else {
            throw RecurrentError.linearAlgebra(
                "the QR decomposition of the given weight takes \(factors.needed) reflections, more than \(count); choose \(factors.needed) `reflections` or more; \(size - 1) are enough for every weight"
            )
        }
        set(point, factors)
    }

    private func set(_ point: ManifoldPoint, _ factors: UnitaryReflections) {
        backend.upload(factors.rows, to: point.parameters[0])
        backend.upload(factors.angles, to: point.parameters[1])
    }
}
