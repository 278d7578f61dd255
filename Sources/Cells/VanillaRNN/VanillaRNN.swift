import RecurrentCore

/// The Elman network, `h' = σ(U x + W h + b_i + b_h)`, with torch.nn.RNN's parameters.
public struct VanillaRNN: ActivatedCell {
    public static let name = "rnn"
    public static let summary = "vanilla RNN: h' = σ(U x + W h + b)"
    public static var defaultActivation: any Activation { ReLU() }
    /// The nonlinearity σ.
    public let activation: any Activation

    public init(options: NoOptions = NoOptions(), activation: any Activation) { self.activation = activation }
    /// Creates a vanilla RNN cell.
    ///
    /// - Parameter activation: the nonlinearity σ.
    public init(activation: any Activation = ReLU()) { self.activation = activation }

    public var slopeBounds: ClosedRange<Double>? { activation.slopeBounds }
    public func slopeBounds(at vectors: (String) -> [Double]) -> ClosedRange<Double>? {
        activation.slopeBounds(atVectors: vectors)
    }
    public var parameters: [CellParameter] {
        [.inputWeight("U"), .recurrentWeight("W"), .inputBias("b_i"), .recurrentBias("b_h")]
            + activation.cellParameters
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let h = states[0]
        return [p.apply(activation, to: p.U • x + p.b_i + p.W • h + p.b_h)]
    }
}
