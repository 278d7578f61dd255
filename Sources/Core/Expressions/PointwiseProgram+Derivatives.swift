extension PointwiseProgram {
    /// Returns a program whose outputs are a function of its inputs and the function's
    /// derivatives with respect to each of them: 1 + `inputs` outputs.
    ///
    /// It is meant for tests; a cell's derivatives come from the step compiler.
    package static func withDerivatives(
        inputs: Int, scalars: Int = 0,
        _ equation: (_ inputs: [SymbolicValue], _ scalars: [SymbolicValue]) -> SymbolicValue
    ) -> PointwiseProgram {
        var graph = ExpressionGraph()
        let x = (0..<inputs).map { SymbolicValue(.input($0)) }
        let value = graph.add(equation(x, (0..<scalars).map { SymbolicValue(.scalar($0)) }))
        let leaves = x.map { graph.add($0) }
        let one = graph.constant(1)
        let slopes = graph.gradients(seeds: [(value, one)], leaves: leaves)
        return PointwiseProgram(
            graph: graph, outputs: [value] + slopes, inputCount: inputs, scalarCount: scalars
        ) { value in
            if case .input(let index) = graph.nodes[value].operation { index } else { nil }
        }
    }
}
