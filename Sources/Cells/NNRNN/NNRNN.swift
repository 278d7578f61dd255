import RecurrentCore

/// The non-normal RNN (Kerg et al. 2019): `h' = σ(U x + V h + b)` in the Schur form `V = P Θ Pᵀ`,
/// with an orthogonal P and a Θ of rotations along the diagonal and free elements below them.
///
/// Without the free elements V is normal, and orthogonal at the start; with them, directions of the state feed others,
/// so that it can grow for a while without exploding.
public struct NNRNN: ActivatedCell {
    public static let name = "nnrnn"
    public static let summary = "non-normal RNN (Kerg et al. 2019): h' = σ(U x + P Θ Pᵀ h + b), PᵀP = I, Θ triangular"
    public static var defaultActivation: any Activation { ModReLU() }
    /// The nonlinearity σ.
    public let activation: any Activation

    public init(options: NoOptions = NoOptions(), activation: any Activation) { self.activation = activation }
    /// Creates an nnRNN cell.
    ///
    /// - Parameter activation: the nonlinearity σ.
    public init(activation: any Activation = ModReLU()) { self.activation = activation }

    public var parameters: [CellParameter] {
        [
            .inputWeight("U"), .recurrentWeight("P", constraint: .orthogonal),
            .recurrentWeight(
                "theta", shape: .lowerTriangular(blockSize: 2), initialization: .computed(Self.rotations)),
            .inputBias("b"),
        ] + activation.cellParameters
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        [p.apply(activation, to: p.U • x + p.P • (p.theta • (p.P.transposed • states[0])) + p.b)]
    }

    /// Returns rotations by uniform angles along the diagonal, and a 1 for a single unit that is left.
    private static func rotations(rows: Int, columns: Int, random: inout RandomStream) -> [Double] {
        var values = [Double](repeating: 0, count: rows * columns)
        for unit in stride(from: 0, to: rows - 1, by: 2) {
            let angle = random.uniform(in: -Double.pi...Double.pi)
            let (cosine, sine) = (RealFunctions.cos(angle), RealFunctions.sin(angle))
            values[unit * columns + unit] = cosine
            values[unit * columns + unit + 1] = -sine
            values[(unit + 1) * columns + unit] = sine
            values[(unit + 1) * columns + unit + 1] = cosine
        }
        if !rows.isMultiple(of: 2) { values[values.count - 1] = 1 }
        return values
    }
}
