import RecurrentCore

extension PointwiseProgram {
    /// The outputs for one element, computed on the host in Double.
    ///
    /// - Parameters:
    ///   - inputs: one number for each of the program's inputs.
    ///   - column: what `columnIndex` gives.
    /// - Precondition: the program draws no random numbers.
    public func evaluate(_ inputs: [Double], scalars: [Double] = [], column: Int = 0) -> [Double] {
        precondition(inputs.count == inputCount && scalars.count == scalarCount && !usesRandomNumbers)
        var values: [Double] = []
        values.reserveCapacity(instructions.count)
        for instruction in instructions {
            let x = instruction.operands.map { values[$0] } + [0, 0, 0]
            switch instruction.operation {
            case .input(let index): values.append(inputs[index])
            case .scalar(let index): values.append(scalars[index])
            case .columnIndex: values.append(Double(column))
            default: values.append(instruction.operation.evaluate(x[0], x[1], x[2]))
            }
        }
        return outputs.map { values[$0] }
    }
}

/// One operation that computes, as a function of expressions.
package struct Opcode: Sendable, CustomStringConvertible {
    package let description: String
    package let arity: Int
    package let apply: @Sendable ([Expression]) -> Expression

    private init(_ name: String, _ arity: Int, _ apply: @escaping @Sendable ([Expression]) -> Expression) {
        description = name
        self.arity = arity
        self.apply = apply
    }

    /// All that have operands.
    package static let all: [Opcode] = [
        Opcode("negate", 1) { -$0[0] },
        Opcode("absolute", 1) { abs($0[0]) },
        Opcode("sign", 1) { sign($0[0]) },
        Opcode("exp", 1) { exp($0[0]) },
        Opcode("log", 1) { log($0[0]) },
        Opcode("sqrt", 1) { sqrt($0[0]) },
        Opcode("tanh", 1) { tanh($0[0]) },
        Opcode("sigmoid", 1) { sigmoid($0[0]) },
        Opcode("add", 2) { $0[0] + $0[1] },
        Opcode("subtract", 2) { $0[0] - $0[1] },
        Opcode("multiply", 2) { $0[0] * $0[1] },
        Opcode("divide", 2) { $0[0] / $0[1] },
        Opcode("maximum", 2) { max($0[0], $0[1]) },
        Opcode("minimum", 2) { min($0[0], $0[1]) },
        Opcode("greater", 2) { $0[0] > $0[1] },
        Opcode("equal", 2) { $0[0] == $0[1] },
        Opcode("select", 3) { select($0[0], $0[1], $0[2]) },
    ]
}
