/// The names of a layer's values in the graph.
struct LayerValues {
    /// The inputs, [T, B, E].
    let input: String
    /// The states before the first step, [1, B, H] each.
    let initialStates: [String]
    /// The states after the last step, [1, B, H] each.
    let finalStates: [String]
}

extension ONNXValue.Axis {
    /// The axis of a sequence's positions.
    static let sequence = ONNXValue.Axis.named("sequence")
    /// The axis of the sequences.
    static let batch = ONNXValue.Axis.named("batch")
}
