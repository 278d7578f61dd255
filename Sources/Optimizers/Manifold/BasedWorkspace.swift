import RecurrentCore

/// How a weight follows from a base `W₀` and a skew-symmetric `B`: a function R(W₀, B) with `R(W₀, 0) = W₀`.
protocol BasedMap: AnyObject {
    /// Computes `W = R(W₀, B)`, orthogonal up to rounding whatever the rounding errors of the base are.
    func computeWeight(from parameter: MatrixView, base: MatrixView, into weight: MatrixView) throws
    /// Computes the gradient of B; exactly skew-symmetric.
    func parameterGradient(
        weightGradient gradient: MatrixView, weight: MatrixView, parameter: MatrixView, into result: MatrixView) throws
}

/// A workspace whose base `W₀` moves: before a step, at the first of every so many, it becomes the present weight, and B
/// becomes 0. The optimizer's momentum stays as it is, a vector of the Lie algebra; as all tangent spaces are `B W`
/// for skew B, it still means the same rotations.
final class BasedWorkspace: ManifoldWorkspace {
    let parameters: [ManifoldMatrix]
    let base: [ManifoldMatrix]
    private let backend: any Backend
    private let map: any BasedMap
    /// The number of steps from one move to the next; nil if the base never moves.
    private let period: Int?
    private let exponential: SkewExponential
    private let polish: NewtonSchulz
    private let scratch: MatrixView
    private let move: BaseMove

    init(size: Int, on backend: any Backend, map: any BasedMap, period: Int?) throws {
        self.backend = backend
        self.map = map
        self.period = period
        parameters = [.skew(size: size)]
        base = [ManifoldMatrix("base", rows: size, columns: size)]
        exponential = try SkewExponential(size: size, on: backend)
        polish = try NewtonSchulz(size: size, on: backend)
        scratch = try backend.allocate(rows: size, columns: size)
        move = try BaseMove(on: backend)
    }

    /// Starts at `W = exp(B₀)`: that is the base, and B is 0.
    func initialize(_ point: ManifoldPoint, skew: MatrixView, random: inout RandomStream) throws {
        try exponential(skew, into: point.base[0])
        backend.fill(point.parameters[0], with: 0)
    }

    func adopt(_ weight: MatrixView, into point: ManifoldPoint) throws {
        polish(weight, into: scratch)
        polish(scratch, into: point.base[0])
        backend.fill(point.parameters[0], with: 0)
    }

    func beginStep(_ step: Int, at point: ManifoldPoint, weight: MatrixView, gate: MatrixView?) throws {
        guard let period, (step - 1) % period == 0 else { return }
        move(weight, to: point.base[0], gate: gate)
        move(nil, to: point.parameters[0], gate: gate)
    }

    func computeWeight(at point: ManifoldPoint, into weight: MatrixView) throws {
        try map.computeWeight(from: point.parameters[0], base: point.base[0], into: weight)
    }

    func parameterGradients(
        weightGradient: MatrixView, weight: MatrixView, at point: ManifoldPoint, into results: [MatrixView]
    ) throws {
        try map.parameterGradient(
            weightGradient: weightGradient, weight: weight, parameter: point.parameters[0], into: results[0])
    }
}

/// The map `W = R(B) W₀` for a function R of skew-symmetric matrices, which a workspace without a base computes.
final class ProductMap: BasedMap {
    private let backend: any Backend
    private let function: any SkewWorkspace
    private let rotation: MatrixView, product: MatrixView
    private let polish: NewtonSchulz
    /// The gradient at B = 0; nil for that of the function.
    private let skewProduct: SkewProduct?

    /// Creates a map.
    ///
    /// - Parameters:
    ///   - function: the function R.
    ///   - isAtZero: whether gradients are computed at B = 0 only; if not, that of the function must depend on ∂J/∂W and
    ///     W only by their product `G Wᵀ`, which is the same for every base.
    init(_ function: any SkewWorkspace, isAtZero: Bool, on backend: any Backend) throws {
        self.backend = backend
        self.function = function
        skewProduct = try isAtZero ? SkewProduct(size: function.size, on: backend) : nil
        rotation = try backend.allocate(rows: function.size, columns: function.size)
        product = try backend.allocate(rows: function.size, columns: function.size)
        polish = try NewtonSchulz(size: function.size, on: backend)
    }

    func computeWeight(from parameter: MatrixView, base: MatrixView, into weight: MatrixView) throws {
        try function.computeWeight(from: parameter, into: rotation)
        backend.gemm(rotation, base, into: product)
        polish(product, into: weight)
    }

    func parameterGradient(
        weightGradient: MatrixView, weight: MatrixView, parameter: MatrixView, into result: MatrixView
    ) throws {
        if let skewProduct { return skewProduct(weightGradient, weight.transposed, into: result) }
        try function.parameterGradient(
            weightGradient: weightGradient, weight: weight, parameter: parameter, into: result)
    }
}

/// Moves of a base, which a gate may prevent on the device.
final class BaseMove {
    private let backend: any Backend
    private let choose: any Kernel, clear: any Kernel

    init(on backend: any Backend) throws {
        self.backend = backend
        // The same condition as that of a gated optimizer.
        choose = try backend.compile(
            PointwiseProgram(inputs: 3) { x, _ in [select(SymbolicValue(.infinity) > x[2], x[0], x[1])] })
        clear = try backend.compile(
            PointwiseProgram(inputs: 2) { x, _ in [select(SymbolicValue(.infinity) > x[1], 0, x[0])] })
    }

    /// Copies a matrix, or zeros if it is nil, to another one, unless the gate is infinite or NaN.
    func callAsFunction(_ source: MatrixView?, to destination: MatrixView, gate: MatrixView?) {
        let gate = gate?.broadcast(rows: destination.rows, columns: destination.columns)
        switch (source, gate) {
        case (let source?, let gate?): backend.run(choose, inputs: [source, destination, gate], outputs: [destination])
        case (let source?, nil): backend.copy(source, to: destination)
        case (nil, let gate?): backend.run(clear, inputs: [destination, gate], outputs: [destination])
        case (nil, nil): backend.fill(destination, with: 0)
        }
    }
}
