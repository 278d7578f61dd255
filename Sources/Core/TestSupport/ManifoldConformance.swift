import RecurrentCore

/// Checks a manifold update: that `W` is orthogonal for small and large `B`, `W = I` at
/// `B = 0`, and `W` is continuous; that the gradient is exactly skew; that the same `B` gives
/// the same bits; and that nothing is written outside the result.
///
/// On a Double backend the gradient is compared with central differences: for every `B` if
/// `isExact`, otherwise only at `B = 0`, and near it the gradient must point uphill.
///
/// - Parameters:
///   - update: the update to check.
///   - backend: the backend that runs it.
///   - sizes: the sizes n of `B` [n, n].
///   - isExact: whether the gradient is the derivative everywhere.
///   - tolerance: the largest deviation from orthogonality and error of exact gradients; if
///     nil, 1e-5 for Float32 and 1e-9 for Double.
/// - Throws: ``ConformanceFailure`` for the first property that doesn't hold.
public func checkManifoldUpdate(
    _ update: any ManifoldUpdate, on backend: any Backend, sizes: [Int] = [1, 2, 3, 8, 17], isExact: Bool,
    tolerance: Double? = nil
) throws {
    try require(!update.name.isEmpty && !update.summary.isEmpty, "a manifold update needs a name and a summary")
    for size in sizes {
        let check = try ManifoldCheck(update, size, backend, tolerance)
        try check.weights()
        try check.continuity()
        try check.gradients(isExact: isExact)
    }
}

private struct ManifoldCheck {
    let what: String
    let n: Int
    let backend: any Backend
    let workspace: any ManifoldWorkspace
    let tolerance: Double
    let isDouble: Bool

    init(_ update: any ManifoldUpdate, _ size: Int, _ backend: any Backend, _ tolerance: Double?) throws {
        what = "\(update.name) on \(backend.name), size \(size)"
        n = size
        self.backend = backend
        workspace = try update.makeWorkspace(size: size, on: backend)
        isDouble = backend.scalarType == .float64
        self.tolerance = tolerance ?? (isDouble ? 1e-9 : 1e-5)
    }

    /// Returns a random skew matrix of about the given norm, exact in Float.
    func skew(norm: Double, seed: UInt64) -> [Double] {
        var random = RandomStream(RandomKey(seed: seed, purpose: .test))
        // The spectral norm of a random matrix with entries ±s is about 2 s √(n / 3).
        let scale = norm / (2 * (Double(n) / 3).squareRoot())
        var result = [Double](repeating: 0, count: n * n)
        for i in 0..<n {
            for j in 0..<i {
                result[i * n + j] = Double(Float(random.uniform(in: -scale...scale)))
                result[j * n + i] = -result[i * n + j]
            }
        }
        return result
    }

    func weight(_ skew: [Double]) throws -> [Double] {
        let parameter = try backend.makeMatrix(skew, rows: n, columns: n)
        let weight = try backend.makeMatrix([Double](repeating: .nan, count: n * n), rows: n, columns: n)
        try workspace.computeWeight(from: parameter, into: weight)
        try require(backend.download(parameter) == skew, "\(what): computeWeight changes the parameter")
        return backend.download(weight)
    }

    func weights() throws {
        let zero = try weight([Double](repeating: 0, count: n * n))
        for i in 0..<n {
            for j in 0..<n {
                try require(
                    (zero[i * n + j] - (i == j ? 1 : 0)).magnitude <= tolerance / 10,
                    "\(what): W[\(i), \(j)] = \(zero[i * n + j]) at B = 0")
            }
        }
        for norm in [0.01, 0.5, 3, 40] {
            let b = skew(norm: norm, seed: 1)
            let w = try weight(b)
            var deviation = 0.0
            for i in 0..<n {
                for j in 0..<n {
                    let product = (0..<n).reduce(0) { $0 + w[$1 * n + i] * w[$1 * n + j] }
                    let entry = (product - (i == j ? 1 : 0)).magnitude
                    deviation = entry.isNaN ? .infinity : max(deviation, entry)
                }
            }
            try require(
                deviation <= tolerance, "\(what), ‖B‖ about \(norm): WᵀW differs from I by \(deviation)")
            _ = try weight(skew(norm: 1, seed: 2))
            try require(
                try weight(b) == w, "\(what), ‖B‖ about \(norm): the same B gives a different W the second time")
            try rowStride(b, w)
        }
    }

    /// Checks the weight as a block of columns in a wider matrix.
    private func rowStride(_ b: [Double], _ expected: [Double]) throws {
        let width = n + 3
        let memory = try backend.makeMatrix([Double](repeating: 7, count: n * width), rows: n, columns: width)
        let parameter = try backend.makeMatrix(b, rows: n, columns: n)
        try workspace.computeWeight(from: parameter, into: memory.columns(1..<1 + n))
        let all: [Double] = backend.download(memory)
        for i in 0..<n {
            for j in 0..<width {
                let inside = (1...n).contains(j)
                let difference = (all[i * width + j] - (inside ? expected[i * n + j - 1] : 7)).magnitude
                try require(
                    difference <= (inside ? tolerance : 0),
                    "\(what): into a weight with a row stride, element (\(i), \(j - 1)) is \(all[i * width + j])")
            }
        }
    }

    /// Checks that `W` moves no faster than `B` along a ray, where a method may switch branches.
    func continuity() throws {
        let direction = skew(norm: 1, seed: 3)
        let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let step = 0.02
        var before = try weight(direction.map { $0 * 0 })
        for index in 1...150 {
            let now = try weight(direction.map { Double(Float($0 * Double(index) * step)) })
            let moved = zip(now, before).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
            try require(
                moved <= 3 * step * length + 100 * tolerance,
                "\(what): W jumps by \(moved) where B moves by \(step * length)")
            before = now
        }
    }

    func gradients(isExact: Bool) throws {
        var random = RandomStream(RandomKey(seed: 4, purpose: .test))
        // J = Σ G · W
        let g = (0..<n * n).map { _ in Double(Float(random.uniform(in: -1...1))) }
        for norm in [0, 0.1, 0.5, 3, 12] {
            let b = skew(norm: norm, seed: 5)
            let actual = try gradient(g, at: b)
            let what = "\(what), ‖B‖ about \(norm)"
            for i in 0..<n {
                for j in 0...i {
                    let (a, c) = (actual[i * n + j], actual[j * n + i])
                    try require(
                        a.isFinite && a == -c,
                        "\(what): the gradient is not skew: element (\(i), \(j)) is \(a), (\(j), \(i)) is \(c)")
                }
            }
            guard isDouble, n > 1, isExact || norm <= 0.1 else { continue }
            let (elements, expected) = try differences(g, at: b)
            let compared = elements.map { actual[$0] }
            if isExact || norm == 0 {
                let error = relativeError(compared, expected)
                try require(
                    error <= max(tolerance, 1e-9), "\(what): the gradient differs from central differences by \(error)")
            } else {
                let product = zip(compared, expected).reduce(0) { $0 + $1.0 * $1.1 }
                try require(product > 0, "\(what): the gradient does not point uphill")
            }
        }
    }

    private func gradient(_ g: [Double], at b: [Double]) throws -> [Double] {
        let parameter = try backend.makeMatrix(b, rows: n, columns: n)
        // Weight and gradient are rows of larger matrices, as for a gate of stacked weights.
        let weights = try backend.makeMatrix([Double](repeating: 9, count: 2 * n * n), rows: 2 * n, columns: n)
        let gradients = try backend.makeMatrix([Double](repeating: 9, count: n * n) + g, rows: 2 * n, columns: n)
        let (weight, gradient) = (weights.rows(n..<2 * n), gradients.rows(n..<2 * n))
        try workspace.computeWeight(from: parameter, into: weight)
        let result = try backend.makeMatrix([Double](repeating: .nan, count: n * n), rows: n, columns: n)
        let before: [Double] = backend.download(weights)
        try workspace.parameterGradient(
            weightGradient: gradient, weight: weight, parameter: parameter, into: result)
        try require(
            backend.download(weights) == before && backend.download(gradient) == g && backend.download(parameter) == b,
            "\(what): parameterGradient changes its inputs")
        return backend.download(result)
    }

    /// Returns the derivatives of `Σ G · W` with respect to about 40 elements below the diagonal.
    private func differences(_ g: [Double], at b: [Double]) throws -> (elements: [Int], slopes: [Double]) {
        let pairs = (0..<n).flatMap { i in (0..<i).map { (i, $0) } }
        let every = max(1, pairs.count / 40)
        let chosen = pairs.enumerated().filter { $0.offset % every == 0 }.map(\.element)
        let slopes = try chosen.map { i, j in
            try centralDifferences([0]) { offset in
                var moved = b
                moved[i * n + j] += offset[0]
                moved[j * n + i] -= offset[0]
                return zip(try weight(moved), g).reduce(0) { $0 + $1.0 * $1.1 }
            }[0]
        }
        return (chosen.map { $0 * n + $1 }, slopes)
    }
}
