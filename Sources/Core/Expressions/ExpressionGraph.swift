/// A graph of expressions in which equal subexpressions share a node.
///
/// Nodes are numbered so that operands come before their users. Constants are
/// folded and neutral elements removed as nodes are added.
package struct ExpressionGraph {
    package typealias Value = Int

    package struct Node: Hashable {
        package var operation: PointwiseOperation
        package var operands: [Value]
    }

    package private(set) var nodes: [Node] = []
    private var values: [Node: Value] = [:]
    private var imported: [ObjectIdentifier: Value] = [:]
    /// The imported nodes, kept alive so that their identities aren't reused.
    private var retained: [SymbolicValue.Node] = []

    /// Adds `expression` and all its subexpressions, and returns its number.
    mutating func add(_ expression: SymbolicValue) -> Value { add(expression.node) }

    private mutating func add(_ root: SymbolicValue.Node) -> Value {
        if let known = imported[ObjectIdentifier(root)] { return known }
        // Not recursive: a long chain of expressions must not overflow the call stack.
        var stack = [root]
        while let node = stack.last {
            if imported[ObjectIdentifier(node)] != nil {
                stack.removeLast()
                continue
            }
            let waiting = node.operands.filter { imported[ObjectIdentifier($0)] == nil }
            if waiting.isEmpty {
                let operands = node.operands.map { imported[ObjectIdentifier($0)]! }
                imported[ObjectIdentifier(node)] = add(node.operation, operands)
                retained.append(node)
                stack.removeLast()
            } else {
                stack.append(contentsOf: waiting)
            }
        }
        return imported[ObjectIdentifier(root)]!
    }

    mutating func constant(_ value: Double) -> Value { intern(.constant(value), []) }

    func constantValue(_ value: Value) -> Double? {
        if case .constant(let number) = nodes[value].operation { number } else { nil }
    }

    /// Adds one operation, simplified where that doesn't change its value for finite operands, and returns its number.
    mutating func add(_ operation: PointwiseOperation, _ operands: [Value]) -> Value {
        let constants = operands.map { constantValue($0) }
        if case .product = operation { return intern(operation, operands) }
        if operation.arity > 0, !constants.contains(where: { $0 == nil }) {
            let c = constants.map { $0! } + [0, 0]
            return constant(operation.evaluate(c[0], c[1], operation.arity == 3 ? c[2] : 0))
        }
        switch operation {
        case .add:
            if constants[0] == 0 { return operands[1] }
            if constants[1] == 0 { return operands[0] }
            // a + (-b) = a - b
            if nodes[operands[1]].operation == .negate {
                return add(.subtract, [operands[0], nodes[operands[1]].operands[0]])
            }
            if nodes[operands[0]].operation == .negate {
                return add(.subtract, [operands[1], nodes[operands[0]].operands[0]])
            }
        case .subtract:
            if constants[1] == 0 { return operands[0] }
            if constants[0] == 0 { return add(.negate, [operands[1]]) }
            if nodes[operands[1]].operation == .negate {
                return add(.add, [operands[0], nodes[operands[1]].operands[0]])
            }
        case .multiply:
            // 0 · x is simplified to 0, so that the gradients of unused parts vanish.
            if constants[0] == 0 || constants[1] == 0 { return constant(0) }
            if constants[0] == 1 { return operands[1] }
            if constants[1] == 1 { return operands[0] }
            if constants[0] == -1 { return add(.negate, [operands[1]]) }
            if constants[1] == -1 { return add(.negate, [operands[0]]) }
        case .divide:
            if constants[1] == 1 { return operands[0] }
            if constants[0] == 0 { return constant(0) }
        case .negate:
            if nodes[operands[0]].operation == .negate { return nodes[operands[0]].operands[0] }
        case .select:
            if let condition = constants[0] { return condition != 0 ? operands[1] : operands[2] }
            if operands[1] == operands[2] { return operands[1] }
        default: break
        }
        return intern(operation, operands)
    }

    private mutating func intern(_ operation: PointwiseOperation, _ operands: [Value]) -> Value {
        let ordered = operation.isCommutative ? operands.sorted() : operands
        let node = Node(operation: operation, operands: ordered)
        // The generator gives one number per element, so two uses of `uniform` are one draw.
        if let known = values[node] { return known }
        nodes.append(node)
        values[node] = nodes.count - 1
        return nodes.count - 1
    }

    /// Returns the nodes that `roots` depend on, including the roots, without going
    /// below the values in `stops`.
    package func cone(of roots: [Value], stoppingAt stops: Set<Value> = []) -> Set<Value> {
        var seen: Set<Value> = []
        var stack = roots
        while let value = stack.popLast() {
            guard seen.insert(value).inserted, !stops.contains(value) else { continue }
            stack.append(contentsOf: nodes[value].operands)
        }
        return seen
    }
}
