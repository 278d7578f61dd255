/// Reverse-mode differentiation: the derivatives of expressions, as expressions.
extension ExpressionGraph {
    /// Returns, for each operand of node `value`, the adjoint that it receives when the
    /// node's own adjoint is `adjoint`; nil where that is zero.
    ///
    /// Derivatives are written in terms of the node's result where that is cheaper
    /// (`tanh' = 1 - y²`), since the forward pass keeps the result anyway.
    mutating func pullback(_ value: Value, adjoint: Value) -> [Value?] {
        let node = nodes[value]
        let x = node.operands
        switch node.operation {
        case .input, .scalar, .constant, .uniform, .columnIndex: return []
        case .negate: return [add(.negate, [adjoint])]
        case .absolute: return [add(.multiply, [adjoint, add(.sign, [x[0]])])]
        case .sign: return [nil]
        case .exp: return [add(.multiply, [adjoint, value])]
        case .log: return [add(.divide, [adjoint, x[0]])]
        case .sqrt:
            return [add(.divide, [add(.multiply, [adjoint, constant(0.5)]), value])]
        case .tanh:
            let slope = add(.subtract, [constant(1), add(.multiply, [value, value])])
            return [add(.multiply, [adjoint, slope])]
        case .sigmoid:
            let slope = add(.multiply, [value, add(.subtract, [constant(1), value])])
            return [add(.multiply, [adjoint, slope])]
        case .sin: return [add(.multiply, [adjoint, add(.cos, [x[0]])])]
        case .cos: return [add(.negate, [add(.multiply, [adjoint, add(.sin, [x[0]])])])]
        case .erf:
            let density = add(.exp, [add(.negate, [add(.multiply, [x[0], x[0]])])])
            let slope = add(.multiply, [constant(2 / Double.pi.squareRoot()), density])
            return [add(.multiply, [adjoint, slope])]
        case .add: return [adjoint, adjoint]
        case .subtract: return [adjoint, add(.negate, [adjoint])]
        case .multiply:
            return [add(.multiply, [adjoint, x[1]]), add(.multiply, [adjoint, x[0]])]
        case .divide:
            let first = add(.divide, [adjoint, x[1]])
            return [first, add(.negate, [add(.multiply, [first, value])])]
        case .maximum, .minimum:
            return extremumPullback(value, adjoint: adjoint, isMaximum: node.operation == .maximum)
        case .greater, .equal: return [nil, nil]
        case .select:
            let zero = constant(0)
            return [nil, add(.select, [x[0], adjoint, zero]), add(.select, [x[0], zero, adjoint])]
        case .product: preconditionFailure("products are differentiated by the step compiler")
        }
    }

    /// Returns the adjoints of the operands of a maximum or minimum.
    ///
    /// If one operand is a constant, `max(x, c) > c` is equivalent to `x > c` and needs
    /// only the result: ReLU then keeps nothing but its output.
    private mutating func extremumPullback(_ value: Value, adjoint: Value, isMaximum: Bool) -> [Value?] {
        let x = nodes[value].operands
        func above(_ graph: inout ExpressionGraph, _ a: Value, _ b: Value) -> Value {
            graph.add(.greater, isMaximum ? [a, b] : [b, a])
        }
        for (side, other) in [(0, 1), (1, 0)] where constantValue(x[other]) != nil {
            let taken = above(&self, value, x[other])
            var result: [Value?] = [nil, nil]
            result[side] = add(.multiply, [adjoint, taken])
            return result
        }
        let taken = above(&self, x[0], x[1])
        let zero = constant(0)
        return [add(.select, [taken, adjoint, zero]), add(.select, [taken, zero, adjoint])]
    }

    /// Returns the gradient with respect to each of `leaves`, given the adjoints of the
    /// `seeds`; for graphs without products.
    mutating func gradients(seeds: [(value: Value, adjoint: Value)], leaves: [Value]) -> [Value] {
        var adjoints: [Value: Value] = [:]
        for (value, adjoint) in seeds {
            adjoints[value] = adjoints[value].map { add(.add, [$0, adjoint]) } ?? adjoint
        }
        for value in cone(of: seeds.map(\.value)).sorted(by: >) {
            guard let adjoint = adjoints[value] else { continue }
            for (operand, part) in zip(nodes[value].operands, pullback(value, adjoint: adjoint)) {
                guard let part else { continue }
                adjoints[operand] = adjoints[operand].map { add(.add, [$0, part]) } ?? part
            }
        }
        return leaves.map { adjoints[$0] ?? constant(0) }
    }
}
