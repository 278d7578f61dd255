/// What an ONNX file holds.
public struct ONNXSummary: Sendable, Equatable {
    /// The operator of each recurrent layer, from the bottom up: `GRU`, `RNN`, `LSTM` or `Scan`.
    public let recurrentOperators: [String]
    /// The version of the operators.
    public let opset: Int
    /// The graph's inputs, such as `tokens [sequence, batch]`.
    public let inputs: [String]
    /// The graph's outputs, such as `logits [sequence, batch, 10000]`.
    public let outputs: [String]
}
