import RecurrentCore

/// The pointwise parts of Taylor polynomials of exp that need few products (Bader,
/// Blanes & Casas 2019; the coefficients of degree 18 with all their digits).
///
/// The powers of B are passed unscaled; the scalars are the powers of the scale s.
enum TaylorPolynomials {
    /// The two parts of degree 8, for `A = s B`: the first has the inputs B and B², the second
    /// I, B, B² and A⁴; both have the scalars s and s².
    ///
    /// Here `A⁴` isn't a power of A, but stands for `A² (x₁ A + x₂ A²)` in
    /// `exp(A) ≈ (x₃ A² + A⁴)(x₄ I + x₅ A + x₆ A² + x₇ A⁴) + I + A + y₂ A²`.
    static let degree8: [PointwiseProgram] = {
        let root = 177.0.squareRoot()
        let x3 = 2.0 / 3
        let x1 = x3 * (1 + root) / 88, x2 = x3 * (1 + root) / 352
        let x4 = (-271 + 29 * root) / (315 * x3), x5 = 11 * (-1 + root) / (1260 * x3)
        let x6 = 11 * (-9 + root) / (5040 * x3), x7 = (89 - root) / (5040 * x3 * x3)
        let y2 = (857 - 58 * root) / 630
        func e(_ value: Double) -> SymbolicValue { SymbolicValue(value) }
        return [
            PointwiseProgram(inputs: 2, scalars: 2) { m, s in [e(x1) * s[0] * m[0] + e(x2) * s[1] * m[1]] },
            PointwiseProgram(inputs: 4, scalars: 2) { m, s in
                let (identity, a, a2, a4) = (m[0], s[0] * m[1], s[1] * m[2], m[3])
                return [
                    e(x3) * a2 + a4, e(x4) * identity + e(x5) * a + e(x6) * a2 + e(x7) * a4,
                    identity + a + e(y2) * a2,
                ]
            },
        ]
    }()

    /// The part of degree 18, with the inputs I, B, B², B³, B⁶ and the scalars s, s², s³, s⁶.
    /// Its outputs are P₁, P₅, P₄, P₃, P₂ of `Q = P₁ P₅ + P₄`, `exp(A) ≈ (P₃ + Q) Q + P₂`.
    static let degree18 = PointwiseProgram(inputs: 5, scalars: 4) { m, s in
        let terms = [m[0]] + (0..<4).map { s[$0] * m[$0 + 1] }
        return coefficients.map { row in
            zip(row, terms).filter { $0.0 != 0 }.map { SymbolicValue($0.0) * $0.1 }.reduce(nil as SymbolicValue?) {
                sum, term in sum.map { $0 + term } ?? term
            }!
        }
    }

    /// The coefficients of I, A, A², A³, A⁶, one row for each of P₁, P₅, P₄, P₃, P₂.
    private static let coefficients: [[Double]] = [
        [0, -0.10036558103014462001, -0.00802924648241156960, -0.00089213849804572995, 0],
        [0, 0, -0.09233646193671185927, -0.01693649390020817171, -0.00001400867981820361],
        [
            -0.09043168323908105619, -0.06764045190713819075, 0.06759613017704596460, 0.02955525704293155274,
            -0.00001391802575160607,
        ],
        [
            -10.9676396052962062593, 1.68015813878906197182, 0.05717798464788655127, -0.00698210122488052084,
            0.00003349750170860705,
        ],
        [0, 0.39784974949964507614, 1.36783778460411719922, 0.49828962252538267755, -0.00063789819459472330],
    ]
}
