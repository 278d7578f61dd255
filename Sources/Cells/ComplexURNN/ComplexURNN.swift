import RecurrentCore

/// The complex uRNN (Arjovsky, Shah & Bengio 2016; with any unitary W, Wisdom et al. 2016): the complex state
/// `h' = σ(W h + U x + b)` with `WᴴW = I`, where σ changes the modulus of a number and keeps its
/// phase, `σ(z) = σ(|z|) z / |z|`.
///
/// The states are Re h and Im h [H] each, which are both the output. W = A + iS. The modReLU is that of the papers,
/// `max(|z| + b, 0) z / |z|`.
public struct ComplexURNN: ActivatedCell {
    public static let name = "complex-urnn"
    public static let summary = "complex uRNN: h' = σ(W h + U x + b) with WᴴW = I, σ on the modulus"
    public static var defaultActivation: any Activation { ModReLU() }
    /// The function σ of the modulus.
    public let activation: any Activation

    public init(options: NoOptions = NoOptions(), activation: any Activation) { self.activation = activation }
    /// Creates a complex uRNN cell.
    ///
    /// - Parameter activation: the function σ of the modulus.
    public init(activation: any Activation = ModReLU()) { self.activation = activation }

    public var stateNames: [String] { ["re", "im"] }
    public var outputCount: Int { 2 }
    public var parameters: [CellParameter] {
        [.inputWeight("U_re"), .inputWeight("U_im")] + CellParameter.unitaryWeight(real: "A", imaginary: "S")
            + [.inputBias("b_re"), .inputBias("b_im")] + activation.cellParameters
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let re = p.A • states.re - p.S • states.im + p.U_re • x + p.b_re
        let im = p.S • states.re + p.A • states.im + p.U_im • x + p.b_im
        // The smallest modulus keeps 0 / 0 out of values and gradients.
        let modulus = sqrt(max(re * re + im * im, Self.smallestModulus * Self.smallestModulus))
        let scale = p.apply(activation, to: modulus) / modulus
        return [scale * re, scale * im]
    }
    private static let smallestModulus = 1e-6

    /// The bounds of the singular values of σ's Jacobian, which are |σ'(|z|)| along z and |σ(|z|)| / |z| across it.
    ///
    /// The second is a mean of slopes, and within their bounds, if σ is 0 just above 0. Otherwise it has no bound, as with a
    /// modReLU whose b is above 0.
    public func slopeBounds(at vectors: (String) -> [Double]) -> ClosedRange<Double>? {
        let values = activation.unitParameters.map { vectors($0.name) }, bounds = activation.slopeBounds(at: values)
        let program = PointwiseProgram(inputs: 1 + values.count) { x, _ in
            [activation(x[0], parameters: Array(x[1...]))]
        }
        let least = 1e-12
        let isBounded = (0..<(values.first?.count ?? 1)).allSatisfy { unit in
            program.evaluate([least] + values.map { $0[unit] })[0].magnitude <= 2 * bounds.upperBound * least
        }
        return isBounded ? bounds : nil
    }
}
