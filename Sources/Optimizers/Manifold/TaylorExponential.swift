import RecurrentCore

/// Scaling and squaring with a Taylor polynomial, which takes only products and sums.
///
/// The polynomials have degree 8, with three products, and degree 18, with five
/// (Bader, Blanes & Casas 2019, "Computing the matrix exponential with an
/// optimized Taylor polynomial approximation"). The products that they need also bound
/// the norm closely, so that few squarings remain: `‖B‖₂⁶ = ‖B⁶‖₂ ≤ ‖B⁶‖₁`
/// for normal B. A squaring doubles the deviation from orthogonality; a
/// Newton–Schulz step reduces it to rounding error.
///
/// It is a ``RecurrentCore/MatrixProgram``, so that a backend may branch on a norm on the
/// device.
struct TaylorExponential {
    /// Returns the program that computes exp(B) from B [n, n].
    static func program(_ type: ScalarType) -> MatrixProgram {
        MatrixProgramBuilder(inputs: 1, outputs: 1).program { TaylorExponential($0, type).any() }
    }

    /// Returns the program for a B that is known to be small, `‖B‖₂ ≤ 1/4`.
    static func smallProgram(_ type: ScalarType) -> MatrixProgram {
        MatrixProgramBuilder(inputs: 1, outputs: 1).program { TaylorExponential($0, type).small() }
    }

    private typealias Matrix = MatrixProgramBuilder.Matrix
    private typealias Scalar = MatrixProgramBuilder.Scalar

    private let p: MatrixProgramBuilder
    private let isDouble: Bool
    private let skew: Matrix
    private let result: Matrix
    /// B², B³ and B⁶; degree 8 uses only B².
    private let square: Matrix
    private let cube: Matrix
    private let sixth: Matrix
    /// The matrix to square, and the destination of its square.
    private let current: Matrix
    private let other: Matrix
    private let left: Matrix
    private let right: Matrix
    private let inner: Matrix
    private let outer: Matrix

    private init(_ builder: MatrixProgramBuilder, _ type: ScalarType) {
        p = builder
        isDouble = type == .float64
        skew = p.inputs[0]
        result = p.outputs[0]
        (square, cube, sixth) = (p.matrix(), p.matrix(), p.matrix())
        (current, other) = (p.matrix(), p.matrix())
        (left, right, inner, outer) = (p.matrix(), p.matrix(), p.matrix(), p.matrix())
    }

    /// The largest norms for which the polynomials are exact up to rounding (Bader,
    /// Blanes & Casas 2019, Table 1).
    private var limit8: Double { isDouble ? 4.99e-2 : 0.58 }
    private var limit18: Double { isDouble ? 1.09 : 3.01 }

    private func any() {
        let bound = p.scalar(), scale = p.scalar(), squarings = p.scalar()
        p.product(skew, skew, into: square)
        p.norm(square, into: bound)
        p.compute([bound], from: [bound]) { [sqrt($0[0])] }
        p.require(finite: bound, orElse: RecurrentError.skewNotFiniteMessage)
        // One more squaring is cheaper than the polynomial of degree 18.
        p.branch(on: [bound], { $0[0] > SymbolicValue(2 * limit8) }) {
            // B⁶ might overflow.
            p.branch(on: [bound], { $0[0] > 1e4 }) {
                p.compute([scale]) { _ in [1] }
                p.loop(atMost: 1024, while: [bound], { $0[0] > 1 }) {
                    p.compute([squarings, bound, scale], from: [squarings, bound, scale]) {
                        [$0[0] + 1, $0[1] / 2, $0[2] / 2]
                    }
                }
                let base = p.matrix()
                p.run(Self.scaling, [skew], scalars: [.value(of: scale)], into: [base])
                p.product(base, base, into: square)
                degree18(base, bound: bound, scale: scale, squarings: squarings)
            } otherwise: {
                degree18(skew, bound: bound, scale: scale, squarings: squarings)
            }
        } otherwise: {
            p.branch(on: [bound], { $0[0] > SymbolicValue(limit8) }) {
                polynomial8(scale: 0.5, into: current)
                lastSquare(sinceLastPolish: 0)
            } otherwise: {
                polynomial8(scale: 1, into: result)
            }
        }
    }

    private func small() {
        p.product(skew, skew, into: square)
        if !isDouble { return polynomial8(scale: 1, into: result) }
        p.product(square, skew, into: cube)
        p.product(cube, cube, into: sixth)
        let one = p.scalar()
        p.compute([one]) { _ in [1] }
        polynomial18(skew, scale: one, into: result)
    }

    /// Computes the polynomial of degree 8 of `scale · B`, from B and B².
    private func polynomial8(scale s: Double, into sum: Matrix) {
        let (mixed, fourth, factor, first) = (left, right, inner, outer)
        let scales: [MatrixScalar] = [.constant(s), .constant(s * s)]
        p.run(TaylorPolynomials.degree8[0], [skew, square], scalars: scales, into: [mixed])
        p.product(square, mixed, alpha: .constant(s * s), into: fourth)
        p.run(
            TaylorPolynomials.degree8[1], identityAnd: [skew, square, fourth], scalars: scales,
            into: [first, factor, sum])
        p.product(first, factor, plus: 1, sum, into: sum)
    }

    /// Chooses how often to halve, computes the polynomial, and squares it as often. `base` has
    /// been halved `squarings` times already, and `square` holds its square.
    private func degree18(_ base: Matrix, bound: Scalar, scale: Scalar, squarings: Scalar) {
        p.product(square, base, into: cube)
        p.product(cube, cube, into: sixth)
        let sixthNorm = p.scalar(), limit = p.scalar()
        p.norm(sixth, into: sixthNorm)
        p.compute([bound, limit, scale], from: [bound, sixthNorm]) {
            [min($0[0], exp(log($0[1]) / 6)), SymbolicValue(limit18), 1]
        }
        p.loop(atMost: 1024, while: [bound, limit], { $0[0] > $0[1] }) {
            p.compute([squarings, limit, scale], from: [squarings, limit, scale]) { [$0[0] + 1, $0[1] * 2, $0[2] / 2] }
        }
        p.branch(on: [squarings], { $0[0] > 0 }) {
            polynomial18(base, scale: scale, into: current)
            square(times: squarings)
        } otherwise: {
            polynomial18(base, scale: scale, into: result)
        }
    }

    /// Computes the polynomial of degree 18 of `scale · B`, from B, B², B³ and B⁶.
    private func polynomial18(_ base: Matrix, scale s: Scalar, into sum: Matrix) {
        let squared = p.scalar(), cubed = p.scalar(), sixthPower = p.scalar()
        p.compute([squared, cubed, sixthPower], from: [s]) { x in
            let cube = x[0] * x[0] * x[0]
            return [x[0] * x[0], cube, cube * cube]
        }
        p.run(
            TaylorPolynomials.degree18, identityAnd: [base, square, cube, sixth],
            scalars: [s, squared, cubed, sixthPower].map { .value(of: $0) }, into: [left, right, inner, outer, sum])
        p.product(left, right, plus: 1, inner, into: inner)
        p.run(Self.sum, [outer, inner], into: [outer])
        p.product(outer, inner, plus: 1, sum, into: sum)
    }

    /// Squares `current` repeatedly; the last product writes the result.
    private func square(times: Scalar) {
        let remaining = p.scalar(), since = p.scalar()
        p.compute([remaining, since], from: [times]) { [$0[0], 0] }
        p.loop(atMost: 1024, while: [remaining], { $0[0] > 1 }) {
            p.product(current, current, into: other)
            p.exchange(current, other)
            p.compute([remaining, since], from: [remaining, since]) { [$0[0] - 1, $0[1] + 1] }
            p.branch(on: [since], { $0[0] == SymbolicValue(Double(polishesOnTheWay)) }) {
                p.compute([since]) { _ in [0] }
                NewtonSchulz.step(p, current, scratch: left, into: other)
                p.exchange(current, other)
            }
        }
        guard isDouble else { return lastSquare(sinceLastPolish: 0) }
        p.branch(on: [since], { $0[0] > SymbolicValue(Double(polishesAtEnd - 2)) }) {
            lastSquare(sinceLastPolish: polishesAtEnd - 1)
        } otherwise: {
            lastSquare(sinceLastPolish: 0)
        }
    }

    // Deviations double with each squaring, and Newton–Schulz squares them. In
    // Float32 the result is always polished: a norm off by 2e-7 at each of 100
    // steps would show in the product of the Jacobians.
    private var polishesAtEnd: Int { isDouble ? 20 : 1 }
    private var polishesOnTheWay: Int { isDouble ? 24 : 8 }

    /// Computes the last square, followed by a Newton–Schulz step if it is due.
    ///
    /// - Parameter since: the number of squarings since the last Newton–Schulz step, or a lower bound.
    private func lastSquare(sinceLastPolish since: Int) {
        if since + 1 < polishesAtEnd { return p.product(current, current, into: result) }
        p.product(current, current, into: other)
        NewtonSchulz.step(p, other, scratch: left, into: result)
    }

    private static let scaling = PointwiseProgram(inputs: 1, scalars: 1) { x, s in [x[0] * s[0]] }
    private static let sum = PointwiseProgram(inputs: 2) { x, _ in [x[0] + x[1]] }
}
