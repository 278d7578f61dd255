import RecurrentCore

/// The paper's uRNN: a vanilla RNN whose recurrent weight stays orthogonal, so
/// that gradients neither vanish nor explode where `|σ'|` is 1 (Theorem 1).
public struct URNN: ActivatedCell {
    public static let name = "urnn"
    public static let summary = "uRNN: h' = σ(U x + W h + b) with WᵀW = I"
    public static var defaultActivation: any Activation { ReLU() }
    /// The nonlinearity σ.
    public let activation: any Activation

    public init(options: NoOptions = NoOptions(), activation: any Activation) { self.activation = activation }
    /// Creates a uRNN cell.
    ///
    /// - Parameter activation: the nonlinearity σ.
    public init(activation: any Activation = ReLU()) { self.activation = activation }

    public var slopeBounds: ClosedRange<Double>? { activation.slopeBounds }
    public func slopeBounds(at vectors: (String) -> [Double]) -> ClosedRange<Double>? {
        activation.slopeBounds(atVectors: vectors)
    }
    public var parameters: [CellParameter] {
        [.inputWeight("U"), .recurrentWeight("W", constraint: .orthogonal), .inputBias("b_i"), .recurrentBias("b_h")]
            + activation.cellParameters
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let h = states[0]
        return [p.apply(activation, to: p.U • x + p.b_i + p.W • h + p.b_h)]
    }
}
