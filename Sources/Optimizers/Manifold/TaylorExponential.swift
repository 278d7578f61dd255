import RecurrentCore

/// Scaling and squaring with a Taylor polynomial: products and sums only.
///
/// The polynomials are of degree 8 in three products and of degree 18 in five
/// (Bader, Blanes & Casas 2019, "Computing the matrix exponential with an
/// optimized Taylor polynomial approximation"). Products on the way to them bound
/// the norm closely, so that few squarings are left: `‖B‖₂⁶ = ‖B⁶‖₂ ≤ ‖B⁶‖₁`
/// for normal B. A squaring doubles the deviation from orthogonality; a
/// Newton–Schulz step takes it back to rounding.
final class TaylorExponential {
    private let backend: any Backend
    private let isDouble: Bool
    private let norm: ColumnNorm
    private let polish: NewtonSchulz
    private let identity: MatrixView
    /// B², B³, B⁶; the first for degree 8 too.
    private let powers: [MatrixView]
    private let work: [MatrixView]
    private let scale: any Kernel
    private let add: any Kernel
    private let degree8: [any Kernel]
    private let degree18: any Kernel

    init(size: Int, on backend: any Backend) throws {
        self.backend = backend
        isDouble = backend.scalarType == .float64
        norm = try ColumnNorm(size: size, on: backend)
        polish = try NewtonSchulz(size: size, on: backend)
        identity = try backend.makeMatrix(
            (0..<size * size).map { $0 / size == $0 % size ? Float(1) : 0 }, rows: size, columns: size)
        powers = try (0..<3).map { _ in try backend.allocate(rows: size, columns: size) }
        work = try (0..<5).map { _ in try backend.allocate(rows: size, columns: size) }
        scale = try backend.compile(PointwiseProgram(inputs: 1, scalars: 1) { x, s in [x[0] * s[0]] })
        add = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [x[0] + x[1]] })
        degree8 = try TaylorPolynomials.degree8.map { try backend.compile($0) }
        degree18 = try backend.compile(TaylorPolynomials.degree18)
    }

    /// Largest norms for which the polynomials are exact to rounding (Bader,
    /// Blanes & Casas 2019, Table 1).
    private var limit8: Double { isDouble ? 4.99e-2 : 0.58 }
    private var limit18: Double { isDouble ? 1.09 : 3.01 }

    /// - Parameters:
    ///   - skew: B [n, n], packed.
    ///   - result: exp(B) [n, n]; may have a row stride.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if B isn't finite.
    func callAsFunction(_ skew: MatrixView, into result: MatrixView) throws {
        let square = powers[0]
        backend.gemm(skew, skew, into: square)
        var bound = norm(square).squareRoot()
        guard bound.isFinite else { throw RecurrentError.skewNotFinite }
        // One squaring more is cheaper than the other polynomial.
        if bound <= 2 * limit8 { return polynomial8(skew, squarings: bound <= limit8 ? 0 : 1, into: result) }

        var base = skew, squarings = 0
        if bound > 1e4 {  // B⁶ might overflow.
            while bound > 1 { (squarings, bound) = (squarings + 1, bound / 2) }
            base = work[0]
            backend.run(scale, inputs: [skew], outputs: [base], scalars: [power(2, -squarings)])
            backend.gemm(base, base, into: square)
        }
        backend.gemm(square, base, into: powers[1])
        backend.gemm(powers[1], powers[1], into: powers[2])
        bound = min(bound, RealFunctions.exp(RealFunctions.log(norm(powers[2])) / 6))
        var more = 0
        while bound > limit18 * power(2, more) { more += 1 }
        polynomial18(base, scale: power(2, -more), squarings: squarings + more, into: result)
    }

    /// For a B known to be small, `‖B‖₂ ≤ 1/4`.
    func small(_ skew: MatrixView, into result: MatrixView) {
        backend.gemm(skew, skew, into: powers[0])
        if !isDouble { return polynomial8(skew, squarings: 0, into: result) }
        backend.gemm(powers[0], skew, into: powers[1])
        backend.gemm(powers[1], powers[1], into: powers[2])
        polynomial18(skew, scale: 1, squarings: 0, into: result)
    }

    /// Of `2^-squarings · B`, from B and B²; then squared.
    private func polynomial8(_ skew: MatrixView, squarings: Int, into result: MatrixView) {
        let s = power(2, -squarings), square = powers[0]
        let (mixed, fourth, factor, sum) = (work[1], work[2], work[3], squarings == 0 ? result : work[0])
        backend.run(degree8[0], inputs: [skew, square], outputs: [mixed], scalars: [s, s * s])
        backend.gemm(alpha: s * s, square, mixed, beta: 0, fourth)
        backend.run(
            degree8[1], inputs: [identity, skew, square, fourth], outputs: [mixed, factor, sum], scalars: [s, s * s])
        backend.gemm(alpha: 1, mixed, factor, beta: 1, sum)
        if squarings > 0 { self.square(times: squarings, into: result) }
    }

    /// Of `s · B`, from B, B², B³ and B⁶; then squared.
    private func polynomial18(_ skew: MatrixView, scale s: Double, squarings: Int, into result: MatrixView) {
        // B may lie in the first; the last two are what remains.
        let (left, right, inner, outer) = (work[1], work[2], work[3], work[4])
        let sum = squarings == 0 ? result : work[0]
        let cube = s * s * s
        backend.run(
            degree18, inputs: [identity, skew] + powers, outputs: [left, right, inner, outer, sum],
            scalars: [s, s * s, cube, cube * cube])
        backend.gemm(alpha: 1, left, right, beta: 1, inner)
        backend.run(add, inputs: [outer, inner], outputs: [outer])
        backend.gemm(alpha: 1, outer, inner, beta: 1, sum)
        if squarings > 0 { square(times: squarings, into: result) }
    }

    /// Squares what lies in the first work matrix; the last product writes the result.
    private func square(times: Int, into result: MatrixView) {
        var (current, other) = (work[0], work[1])
        // Deviations double with each squaring, and Newton–Schulz squares them. In
        // Float32 the result is always polished: a norm off by 2e-7 at each of 100
        // steps would show in the product of the Jacobians.
        let (atEnd, onTheWay) = isDouble ? (20, 24) : (1, 8)
        var since = 0
        for index in 1...times {
            since += 1
            let polishes = index == times ? since >= atEnd : since == onTheWay
            let isLast = index == times && !polishes
            backend.gemm(current, current, into: isLast ? result : other)
            (current, other) = (other, current)
            guard polishes else { continue }
            since = 0
            polish(current, into: index == times ? result : other)
            (current, other) = (other, current)
        }
    }

    private func power(_ base: Double, _ exponent: Int) -> Double {
        exponent < 0 ? 1 / power(base, -exponent) : (0..<exponent).reduce(1) { result, _ in result * base }
    }
}
