import RecurrentCore

/// Checks a manifold update, for real and for complex weights as far as its traits say that it is for them:
///
/// - that `W` is orthogonal, or its singular values lie within the margin, for small and large `B₀`; that it is continuous,
///   and that nothing is written outside the result;
/// - that gradients have the structure of their parameters exactly, and, on a Double backend, agree with central differences
///   at every point where they are computed if the update is exact, otherwise only at `B = 0`, near which they must point
///   uphill;
/// - that a base moves without moving `W`, and not at all behind a gate that is infinite or NaN;
/// - that `W` keeps the sign of its determinant, and training starts from those given weights that the traits name, with
///   eigenvalues −1 among them, and refuses others;
/// - that the same point gives the same bits, also in a new workspace, as after a run has been resumed.
///
/// - Parameters:
///   - update: the update to check.
///   - backend: the backend that runs it.
///   - sizes: the sizes n of W [n, n]; complex weights, which take eight times as long, are checked at those below 10.
///   - isExact: whether the gradient is the derivative everywhere; nil for what the traits say.
///   - tolerance: the largest deviation from orthogonality and error of exact gradients; if
///     nil, 1e-5 for Float32 and 1e-9 for Double.
/// - Throws: ``ConformanceFailure`` for the first property that doesn't hold.
public func checkManifoldUpdate(
    _ update: any ManifoldUpdate, on backend: any Backend, sizes: [Int] = [1, 2, 3, 8, 17], isExact: Bool? = nil,
    tolerance: Double? = nil
) throws {
    try require(!update.name.isEmpty && !update.summary.isEmpty, "a manifold update needs a name and a summary")
    try require(!update.traits.fields.isEmpty, "\(update.name) is for no weights")
    try require(
        (0...1).contains(update.traits.spectralMargin), "\(update.name): the margin must lie between 0 and 1")
    for field in WeightField.allCases {
        guard update.traits.fields.contains(field) else {
            try requireThrow("\(update.name) makes a workspace for \(field.rawValue) weights, which it isn't for") {
                _ = try update.makeWorkspace(field, size: sizes[0], on: backend)
            }
            continue
        }
        for size in sizes where field == .real || size < 10 {
            let check = try ManifoldCheck(update, field, size, backend, isExact, tolerance)
            try check.layout()
            try check.weights()
            try check.continuity()
            try check.steps()
            try check.starts()
        }
    }
}

/// Fails unless a call throws a ``RecurrentError``.
func requireThrow(_ failure: String, _ call: () throws -> Void) throws {
    do { try call() } catch is RecurrentError { return }
    throw ConformanceFailure(failure)
}

/// A manifold update for weights of one kind and size, to be checked.
struct ManifoldCheck {
    let what: String
    let update: any ManifoldUpdate
    let field: WeightField
    let n: Int
    let backend: any Backend
    let workspace: any ManifoldWorkspace
    let traits: ManifoldTraits
    let isExact: Bool
    let tolerance: Double
    let isDouble: Bool
    /// The number of rows of a weight.
    var rows: Int { field.rows(size: n) }

    init(
        _ update: any ManifoldUpdate, _ field: WeightField, _ size: Int, _ backend: any Backend, _ isExact: Bool?,
        _ tolerance: Double?
    ) throws {
        what = "\(update.name) on \(backend.name), \(field.rawValue), size \(size)"
        (self.update, self.field, n, self.backend) = (update, field, size, backend)
        workspace = try update.makeWorkspace(field, size: size, on: backend)
        traits = update.traits
        self.isExact = isExact ?? update.traits.isExact
        isDouble = backend.scalarType == .float64
        self.tolerance = tolerance ?? (isDouble ? 1e-9 : 1e-5)
    }

    /// The values of a point on the host, as ``ManifoldPoint/matrices`` lists them.
    typealias Values = [[Double]]

    /// Returns a number in the backend's precision.
    func rounded(_ value: Double) -> Double { isDouble ? value : Double(Float(value)) }

    /// Returns a random B of about the given norm, exact in Float: [n, n], or [2n, n] if it is complex.
    func skew(norm: Double, seed: UInt64) -> [Double] {
        var random = RandomStream(RandomKey(seed: seed, purpose: .test))
        let matrix: ManifoldMatrix = field == .real ? .skew(size: n) : .skewHermitian(size: n)
        // The spectral norm of a random matrix with entries ±s is about 2 s √(n / 3).
        return self.random(matrix, scale: norm / (2 * (Double(n) / 3).squareRoot()), &random)
    }

    /// Returns random elements in ±scale with the structure of a matrix, exact in Float.
    func random(_ matrix: ManifoldMatrix, scale: Double, _ random: inout RandomStream) -> [Double] {
        func next() -> Double { Double(Float(random.uniform(in: -scale...scale))) }
        var result = [Double](repeating: 0, count: matrix.count)
        let size = matrix.columns
        switch matrix.structure {
        case .free: for i in result.indices { result[i] = next() }
        case .skew, .skewHermitian:
            for i in 0..<size {
                for j in 0..<i {
                    result[i * size + j] = next()
                    result[j * size + i] = -result[i * size + j]
                }
            }
            guard matrix.structure == .skewHermitian else { break }
            for i in 0..<size {
                for j in 0...i {
                    result[(size + i) * size + j] = next()
                    result[(size + j) * size + i] = result[(size + i) * size + j]
                }
            }
        }
        return result
    }

    /// Returns a point with values.
    func point(_ values: Values) throws -> ManifoldPoint {
        let point = try ManifoldPoint(for: workspace, on: backend)
        for (matrix, values) in zip(point.matrices, values) { backend.upload(values, to: matrix) }
        return point
    }

    func values(_ point: ManifoldPoint) -> Values { point.matrices.map { backend.download($0) } }

    /// Returns the values of the point at which training starts from B₀.
    func start(_ skew: [Double]) throws -> Values {
        let point = try ManifoldPoint(for: workspace, on: backend)
        var random = RandomStream(RandomKey(seed: 11, purpose: .test))
        try workspace.initialize(
            point, skew: backend.makeMatrix(skew, rows: rows, columns: n), random: &random)
        return values(point)
    }

    /// Returns the weight at a point.
    func weight(_ values: Values, in other: (any ManifoldWorkspace)? = nil) throws -> [Double] {
        let point = try point(values)
        let weight = try backend.makeMatrix([Double](repeating: .nan, count: rows * n), rows: rows, columns: n)
        try (other ?? workspace).computeWeight(at: point, into: weight)
        try require(self.values(point) == values, "\(what): computeWeight changes the point")
        return backend.download(weight)
    }

    /// Checks that a matrix or its gradient has its structure exactly.
    func requireStructure(_ matrix: ManifoldMatrix, _ values: [Double], _ subject: String) throws {
        try require(values.allSatisfy(\.isFinite), "\(subject) isn't finite")
        guard matrix.structure != .free else { return }
        let size = matrix.columns
        for i in 0..<size {
            for j in 0...i {
                let (a, b) = (values[i * size + j], values[j * size + i])
                try require(
                    a == -b, "\(subject) is not skew: element (\(i), \(j)) is \(a), (\(j), \(i)) is \(b)")
                guard matrix.structure == .skewHermitian else { continue }
                let (c, d) = (values[(size + i) * size + j], values[(size + j) * size + i])
                try require(
                    c == d,
                    "\(subject) has an imaginary part that is not symmetric: element (\(i), \(j)) is \(c), (\(j), \(i)) is \(d)"
                )
            }
        }
    }

    /// Checks that W is orthogonal or unitary, or that its singular values lie within the margin.
    func requireOnManifold(_ w: [Double], _ subject: String) throws {
        guard traits.spectralMargin == 0 else {
            let range = try SingularValues.range(of: backend.makeMatrix(w, rows: rows, columns: n), on: backend)
            let margin = traits.spectralMargin + tolerance
            try require(
                range.lowerBound >= 1 - margin && range.upperBound <= 1 + margin,
                "\(subject): the singular values \(range) lie outside 1 ± \(traits.spectralMargin)")
            return
        }
        var deviation = 0.0
        for i in 0..<n {
            for j in 0..<n {
                var real = i == j ? -1.0 : 0, imaginary = 0.0
                for k in 0..<rows { real += w[k * n + i] * w[k * n + j] }
                for k in n..<max(rows, n) {
                    imaginary += w[(k - n) * n + i] * w[k * n + j] - w[k * n + i] * w[(k - n) * n + j]
                }
                let entry = max(real.magnitude, imaginary.magnitude)
                deviation = entry.isNaN || imaginary.isNaN ? .infinity : max(deviation, entry)
            }
        }
        try require(deviation <= tolerance, "\(subject): WᵀW differs from I by \(deviation)")
    }
}
