/// The forward values that the backward pass reads back; it recomputes the others.
///
/// Leaves and the new states cost nothing (all states are kept anyway). Products and
/// transcendental results are saved. Cheap arithmetic is recomputed, unless that
/// takes more reads than the saved result would.
struct SavedValues {
    typealias Value = ExpressionGraph.Value
    /// The saved values, in a fixed order.
    private(set) var values: [Value] = []

    init(for needed: [Value], step: TracedStep) {
        var dependsOnGradient: [Value: Bool] = [:]
        func isGradient(_ value: Value) -> Bool {
            if let known = dependsOnGradient[value] { return known }
            var result = false
            switch step.leafKind(value) {
            case .stateGradient?, .outputGradient?, .backProduct?: result = true
            default:
                if case .product = step.graph.nodes[value].operation { break }
                result = step.graph.nodes[value].operands.contains { isGradient($0) }
            }
            dependsOnGradient[value] = result
            return result
        }
        let results = Set(step.results)
        var memo: [Value: Set<Value>] = [:]
        func reads(_ value: Value) -> Set<Value> {
            if let known = memo[value] { return known }
            let node = step.graph.nodes[value]
            let result: Set<Value>
            if node.operation.arity == 0 || results.contains(value) {
                result = []
            } else if case .product = node.operation {
                result = [value]
            } else if node.operation.isTranscendental {
                result = [value]
            } else {
                let below = node.operands.reduce(into: Set<Value>()) { $0.formUnion(reads($1)) }
                result = below.count > 1 ? [value] : below
            }
            memo[value] = result
            return result
        }
        var saved: Set<Value> = []
        var seen: Set<Value> = []
        var stack = needed
        while let value = stack.popLast() {
            guard seen.insert(value).inserted else { continue }
            if isGradient(value) {
                stack.append(contentsOf: step.graph.nodes[value].operands)
            } else {
                saved.formUnion(reads(value))
            }
        }
        values = saved.sorted()
    }
}
