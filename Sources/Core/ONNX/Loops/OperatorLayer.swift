/// A recurrent layer that is one of ONNX's operators.
struct OperatorLayer {
    let recognized: RecognizedOperator
    let weights: LayerWeights
    let inputWidth: Int

    private var template: OperatorTemplate { recognized.template }
    private var prefix: String { "layer\(weights.layer)" }

    /// Adds the operator to a graph.
    ///
    /// - Returns: the name of the output, which is the first state, after each step, [T, B, H].
    func emit(_ values: LayerValues, to builder: GraphBuilder) -> String {
        let size = weights.hiddenWidth, gates = template.gates
        var inputs = [
            values.input,
            tensor("W", gates.map { "U_\($0)" }, shape: [1, gates.count * size, inputWidth], in: builder),
            tensor("R", gates.map { "W_\($0)" }, shape: [1, gates.count * size, size], in: builder),
            optionalTensor("B", (gates.map { "b_\($0)" }) + (gates.map { "c_\($0)" }), size, in: builder),
            "",
        ]
        inputs += values.initialStates
        let peepholes = optionalTensor("P", template.peepholes.map { "P_\($0)" }, size, in: builder)
        if !peepholes.isEmpty { inputs.append(peepholes) }

        var attributes = [
            ONNXAttribute("hidden_size", .integer(size)),
            ONNXAttribute("activations", .texts(template.functions.map(\.name))),
        ]
        let alphas = template.functions.compactMap(\.alpha), betas = template.functions.compactMap(\.beta)
        if !alphas.isEmpty { attributes.append(ONNXAttribute("activation_alpha", .floats(alphas))) }
        if !betas.isEmpty { attributes.append(ONNXAttribute("activation_beta", .floats(betas))) }
        if case .gru(let isAfter, _) = template.kind {
            attributes.append(ONNXAttribute("linear_before_reset", .integer(isAfter ? 1 : 0)))
        }
        let states = builder.name("\(prefix).Y")
        builder.add(ONNXNode(template.name, inputs, [states] + values.finalStates, attributes))
        // The operator's second axis is that of directions.
        return builder.add("Squeeze", [states, builder.integers([1])], as: "\(prefix).states")
    }

    private func tensor(_ name: String, _ parameters: [String], shape: [Int], in builder: GraphBuilder) -> String {
        let count = shape.reduce(1, *) / parameters.count
        return builder.tensor("\(prefix).\(name)", shape: shape) { [recognized, weights] in
            parameters.flatMap { weights.values(recognized.combination($0), count: count) }
        }
    }

    /// Returns the name of a tensor of vectors; empty if all of them are 0.
    private func optionalTensor(_ name: String, _ parameters: [String], _ size: Int, in builder: GraphBuilder)
        -> String
    {
        guard parameters.contains(where: { recognized.combination($0) != nil }) else { return "" }
        return tensor(name, parameters, shape: [1, parameters.count * size], in: builder)
    }
}
