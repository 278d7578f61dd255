import RecurrentCore

/// Scaling and squaring with a Taylor polynomial: products and sums only.
///
/// Float32: degree 8 in three products (Bader, Blanes & Casas 2019, "Computing
/// the matrix exponential with an optimized Taylor polynomial approximation",
/// Eq. 13); Float64: degree 16 in six (Paterson & Stockmeyer 1973). Squaring
/// doubles the deviation from orthogonality, so after many squarings one
/// Newton–Schulz step takes it back to rounding.
final class TaylorExponential {
    private let size: Int
    private let backend: any Backend
    private let isDouble: Bool
    private let powers: [MatrixView]  // A, A², and by precision more
    private let work: [MatrixView]
    private let identity: MatrixView
    private let scale: any Kernel
    private let combine: [any Kernel]

    init(size: Int, on backend: any Backend) throws {
        self.size = size
        self.backend = backend
        isDouble = backend.scalarType == .float64
        powers = try (0..<4).map { _ in try backend.allocate(rows: size, columns: size) }
        work = try (0..<3).map { _ in try backend.allocate(rows: size, columns: size) }
        identity = try backend.makeMatrix(
            (0..<size * size).map { $0 / size == $0 % size ? Float(1) : 0 }, rows: size, columns: size)
        scale = try backend.compile(PointwiseProgram(inputs: 1, scalars: 1) { x, s in [x[0] * s[0]] })
        combine = try (isDouble ? Self.degree16 : Self.degree8).map { try backend.compile($0) }
    }

    /// Largest norm for which the polynomial is exact to rounding.
    private var threshold: Double { isDouble ? 0.8 : 0.58 }

    /// - Parameter norm: an upper bound of `‖B‖₂`.
    func callAsFunction(_ skew: MatrixView, norm: Double, into result: MatrixView) {
        var squarings = 0
        while norm > threshold * Double(1 << squarings) { squarings += 1 }
        var a = skew
        if squarings > 0 {
            backend.run(scale, inputs: [skew], outputs: [powers[0]], scalars: [1 / Double(1 << squarings)])
            a = powers[0]
        }
        let polishes = squarings >= (isDouble ? 20 : 4)
        // The last product writes the result; those before it go back and forth.
        var current = squarings == 0 && !polishes ? result : work[0]
        if isDouble { polynomial16(a, into: current) } else { polynomial8(a, into: current) }
        for index in 0..<squarings {
            let isLast = index == squarings - 1 && !polishes
            let next = isLast ? result : (current.memory === work[0].memory ? work[1] : work[0])
            backend.gemm(current, current, into: next)
            current = next
        }
        if polishes {
            // W ← W (3 I − Wᵀ W) / 2
            backend.gemm(current.transposed, current, into: work[2])
            backend.copy(current, to: result)
            backend.gemm(alpha: -0.5, current, work[2], beta: 1.5, result)
        }
    }

    // MARK: Degree 8

    private static let degree8: [PointwiseProgram] = {
        let root = 177.0.squareRoot()
        let x3 = 2.0 / 3
        let x1 = x3 * (1 + root) / 88, x2 = x3 * (1 + root) / 352
        let x4 = (-271 + 29 * root) / (315 * x3), x5 = 11 * (-1 + root) / (1260 * x3)
        let x6 = 11 * (-9 + root) / (5040 * x3), x7 = (89 - root) / (5040 * x3 * x3)
        let y2 = (857 - 58 * root) / 630
        func e(_ value: Double) -> Expression { Expression(value) }
        return [
            // A, A² → x1 A + x2 A²
            PointwiseProgram(inputs: 2) { m, _ in [e(x1) * m[0] + e(x2) * m[1]] },
            // A, A², A⁴, I → the factors of the last product, and what is added to it
            PointwiseProgram(inputs: 4) { m, _ in
                [
                    e(x3) * m[1] + m[2], e(x4) * m[3] + e(x5) * m[0] + e(x6) * m[1] + e(x7) * m[2],
                    m[3] + m[0] + e(y2) * m[1],
                ]
            },
        ]
    }()

    private func polynomial8(_ a: MatrixView, into result: MatrixView) {
        let (a2, a4) = (powers[1], powers[2])
        backend.gemm(a, a, into: a2)
        backend.run(combine[0], inputs: [a, a2], outputs: [work[2]])
        backend.gemm(a2, work[2], into: a4)
        backend.run(combine[1], inputs: [a, a2, a4, identity], outputs: [work[2], powers[3], result])
        backend.gemm(alpha: 1, work[2], powers[3], beta: 1, result)
    }

    // MARK: Degree 16

    private static let degree16: [PointwiseProgram] = {
        var inverseFactorial = [1.0]
        for k in 1...16 { inverseFactorial.append(inverseFactorial[k - 1] / Double(k)) }
        // I, A, A², A³ → c₀ I + c₁ A + c₂ A² + c₃ A³ for each power of A⁴
        let blocks = (0..<4).map { block in
            PointwiseProgram(inputs: 5) { m, _ in
                let sum = (0..<4).reduce(Expression(0)) { $0 + Expression(inverseFactorial[4 * block + $1]) * m[$1] }
                return [block == 3 ? sum + Expression(inverseFactorial[16]) * m[4] : sum]
            }
        }
        return blocks
    }()

    private func polynomial16(_ a: MatrixView, into result: MatrixView) {
        let (a2, a3, a4) = (powers[1], powers[2], powers[3])
        backend.gemm(a, a, into: a2)
        backend.gemm(a2, a, into: a3)
        backend.gemm(a2, a2, into: a4)
        let terms = [identity, a, a2, a3, a4]
        backend.run(combine[3], inputs: terms, outputs: [work[2]])
        backend.run(combine[2], inputs: terms, outputs: [work[1]])
        backend.gemm(alpha: 1, a4, work[2], beta: 1, work[1])
        backend.run(combine[1], inputs: terms, outputs: [work[2]])
        backend.gemm(alpha: 1, a4, work[1], beta: 1, work[2])
        backend.run(combine[0], inputs: terms, outputs: [result])
        backend.gemm(alpha: 1, a4, work[2], beta: 1, result)
    }
}
