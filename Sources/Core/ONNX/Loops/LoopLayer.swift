import RecurrentCore

/// A recurrent layer as a `Scan`, whose body consists of the cell's equations.
struct LoopLayer {
    private var equations: LoopEquations

    init(_ step: TracedStep, weights: LayerWeights, in builder: GraphBuilder) {
        equations = LoopEquations(step, weights: weights, in: builder)
    }

    /// Adds the loop to the graph.
    ///
    /// - Returns: the name of the output after each step, [T, B, O].
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the equations contain an operation that the export lacks.
    mutating func emit(_ values: LayerValues) throws -> String {
        let builder = equations.builder, prefix = equations.prefix
        let body = try equations.body(input: values.input)
        let axes = builder.integers([0])
        let initial = values.initialStates.map { builder.add("Squeeze", [$0, axes], as: "\(prefix).initial") }
        let final = values.finalStates.map { _ in builder.name("\(prefix).final") }
        let states = builder.name("\(prefix).states")
        builder.add(
            ONNXNode(
                "Scan", initial + equations.scanned, final + [states],
                [
                    ONNXAttribute("body", .graph(body)),
                    ONNXAttribute("num_scan_inputs", .integer(equations.scanned.count)),
                ]))
        for (name, result) in zip(final, values.finalStates) {
            builder.add(ONNXNode("Unsqueeze", [name, axes], [result]))
        }
        return states
    }
}
