/// The gradients of one step, as values of the step's graph.
///
/// A product is opaque here: its adjoint δ is stored, because the deferred
/// weight gradient needs it, and one GEMM per group sends `δ · W` back.
struct StepGradients {
    typealias Value = ExpressionGraph.Value

    /// The adjoint δ of each product.
    private(set) var deltas: [Value: Value] = [:]
    /// The adjoints of derived vectors, by their number, and of the cell's vectors, by the index of their parameter.
    private(set) var vectors: [(vector: Vector, adjoint: Value)] = []
    enum Vector { case derived(Int), parameter(Int) }
    /// The gradients of the cell's vectors from which others are derived, once those of the derived ones are known.
    private(set) var sources: [(parameter: Int, gradient: Value)] = []
    /// The adjoint of each state before the step, without the parts that GEMMs add;
    /// nil if there is none.
    private(set) var states: [Value?] = []
    /// The adjoint of the input, without the parts that GEMMs add.
    private(set) var input: Value?
    /// The state that is the operand, for each group whose operand is itself a state.
    private(set) var directState: [Int: Int] = [:]
    /// The level of each value for which it is known; see ``level(of:in:)``.
    private var levels: [Value: Int] = [:]

    init(of step: inout TracedStep) {
        var adjoints: [Value: Value] = [:]
        func receive(_ value: Value, _ part: Value) { step.graph.add(part, to: &adjoints, of: value) }
        for (index, result) in step.results.enumerated() {
            receive(result, step.leaf(.stateGradient(index)))
            if index < step.cell.outputCount { receive(result, step.leaf(.outputGradient(index))) }
        }
        for value in step.graph.cone(of: step.results).sorted(by: >) {
            guard let adjoint = adjoints[value] else { continue }
            if let number = step.derived.firstIndex(of: value) {
                vectors.append((.derived(number), adjoint))
                continue
            }
            let node = step.graph.nodes[value]
            guard case .product = node.operation else {
                for (operand, part) in zip(node.operands, step.graph.pullback(value, adjoint: adjoint)) {
                    if let part { receive(operand, part) }
                }
                continue
            }
            deltas[value] = adjoint
            let group = step.groupOf[value]!
            guard !step.groups[group].isHoisted else { continue }
            if case .state(let index)? = step.leafKind(node.operands[0]) {
                directState[group] = index
            } else if step.knownLeaf(.backProduct(group: group)) == nil {
                // One GEMM serves the whole group: all its δ are known before its operand's adjoint.
                receive(node.operands[0], step.leaf(.backProduct(group: group)))
            }
        }
        vectors.reverse()
        let zero = step.graph.constant(0)
        for product in step.groupOf.keys where deltas[product] == nil { deltas[product] = zero }
        for index in step.parameters.indices {
            guard let leaf = step.knownLeaf(.vector(index)), let adjoint = adjoints[leaf] else { continue }
            vectors.append((.parameter(index), adjoint))
        }
        states = step.cell.stateNames.indices.map { index in
            step.knownLeaf(.state(index)).flatMap { adjoints[$0] }
        }
        input = step.knownLeaf(.input).flatMap { adjoints[$0] }
        findSources(&step)
    }

    /// Takes the gradients of the derived vectors back to what they are derived from.
    private mutating func findSources(_ step: inout TracedStep) {
        var adjoints: [Value: Value] = [:]
        for case (.derived(let number), _) in vectors {
            let gradient = step.leaf(.derivedGradient(number))
            step.graph.add(gradient, to: &adjoints, of: step.derived[number])
        }
        for value in step.graph.cone(of: step.derived).sorted(by: >) {
            guard let adjoint = adjoints[value] else { continue }
            if case .vector(let index)? = step.leafKind(value) {
                sources.append((index, step.graph.add(.add, [step.leaf(.vectorGradient(index)), adjoint])))
                continue
            }
            for (operand, part) in zip(step.graph.nodes[value].operands, step.graph.pullback(value, adjoint: adjoint)) {
                if let part { step.graph.add(part, to: &adjoints, of: operand) }
            }
        }
    }

    /// Returns the number of kernels of the backward step that must run before the one
    /// that computes `value`.
    mutating func level(of value: Value, in step: TracedStep) -> Int {
        // Not recursive: a long chain of expressions must not overflow the call stack.
        var open = [value]
        while let value = open.last {
            var below = step.graph.nodes[value].operands
            var kernels = 0
            if case .backProduct(let group)? = step.leafKind(value) {
                below = step.groups[group].products.map { deltas[$0]! }
                kernels = 1
            }
            if let missing = below.first(where: { levels[$0] == nil }) {
                open.append(missing)
            } else {
                levels[value] = kernels + (below.map { levels[$0]! }.max() ?? 0)
                open.removeLast()
            }
        }
        return levels[value]!
    }
}

extension ExpressionGraph {
    /// Adds a part to the adjoint of a value.
    fileprivate mutating func add(_ part: Value, to adjoints: inout [Value: Value], of value: Value) {
        adjoints[value] = adjoints[value].map { add(.add, [$0, part]) } ?? part
    }
}
