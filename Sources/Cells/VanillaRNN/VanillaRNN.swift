import RecurrentCore

/// The Elman network: `h' = σ(U x + W h + b_i + b_h)`, torch.nn.RNN's parameters.
public struct VanillaRNN: RecurrentCell {
    public let activation: any Activation

    public init(activation: any Activation = ReLU()) { self.activation = activation }

    public var name: String { "rnn" }
    public var summary: String { "vanilla RNN: h' = σ(U x + W h + b)" }
    public var slopeBounds: ClosedRange<Double>? { activation.slopeBounds }
    public var parameters: [CellParameter] {
        [.inputWeight("U"), .recurrentWeight("W"), .inputBias("b_i"), .recurrentBias("b_h")]
            + activation.cellParameters
    }

    public func step(input x: Expression, states: [Expression], parameters p: CellSymbols) -> [Expression] {
        let h = states[0]
        return [p.apply(activation, to: p.U • x + p.b_i + p.W • h + p.b_h)]
    }
}
