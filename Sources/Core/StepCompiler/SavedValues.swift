/// The forward values that the backward pass reads back; it recomputes the others.
///
/// Leaves and the new states cost nothing (all states are kept anyway). Products and
/// transcendental results are saved. Cheap arithmetic is recomputed, unless that
/// takes more reads than the saved result would. What depends on the cell's vectors alone
/// is recomputed too, since it would be saved once for every row of every step.
struct SavedValues {
    typealias Value = ExpressionGraph.Value
    /// The saved values, in a fixed order.
    private(set) var values: [Value] = []

    init(for needed: [Value], step: TracedStep) {
        // Operands come before their users, so one loop over the nodes finds what a recursion would,
        // however long the expressions are.
        let results = Set(step.results)
        var isGradient: [Bool] = []
        var isOfVectors: [Bool] = []
        /// What is read to have each value again: another value, itself, or nothing.
        var read: [Value?] = []
        for (value, node) in step.graph.nodes.enumerated() {
            let isProduct = if case .product = node.operation { true } else { false }
            switch step.leafKind(value) {
            case .stateGradient?, .outputGradient?, .backProduct?: isGradient.append(true)
            default: isGradient.append(!isProduct && node.operands.contains { isGradient[$0] })
            }
            switch step.leafKind(value) {
            case .vector?: isOfVectors.append(true)
            case .some: isOfVectors.append(false)
            case nil: isOfVectors.append(!isProduct && node.operands.allSatisfy { isOfVectors[$0] })
            }
            let below = Set(node.operands.compactMap { read[$0] })
            if node.operation.arity == 0 || results.contains(value) || isOfVectors[value] {
                read.append(nil)
            } else if isProduct || node.operation.isTranscendental || below.count > 1 {
                read.append(value)
            } else {
                read.append(below.first)
            }
        }
        var saved: Set<Value> = []
        var seen: Set<Value> = []
        var stack = needed
        while let value = stack.popLast() {
            guard seen.insert(value).inserted else { continue }
            if isGradient[value] {
                stack.append(contentsOf: step.graph.nodes[value].operands)
            } else if let read = read[value] {
                saved.insert(read)
            }
        }
        values = saved.sorted()
    }
}
