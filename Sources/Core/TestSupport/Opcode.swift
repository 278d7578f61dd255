import RecurrentCore

/// An operation with operands, as a function of expressions.
package struct Opcode: Sendable, CustomStringConvertible {
    package let description: String
    package let arity: Int
    package let apply: @Sendable ([SymbolicValue]) -> SymbolicValue

    private init(_ name: String, _ arity: Int, _ apply: @escaping @Sendable ([SymbolicValue]) -> SymbolicValue) {
        description = name
        self.arity = arity
        self.apply = apply
    }

    /// All operations that have operands.
    package static let all: [Opcode] = [
        Opcode("negate", 1) { -$0[0] },
        Opcode("absolute", 1) { abs($0[0]) },
        Opcode("sign", 1) { sign($0[0]) },
        Opcode("exp", 1) { exp($0[0]) },
        Opcode("log", 1) { log($0[0]) },
        Opcode("sqrt", 1) { sqrt($0[0]) },
        Opcode("tanh", 1) { tanh($0[0]) },
        Opcode("sigmoid", 1) { sigmoid($0[0]) },
        Opcode("sin", 1) { sin($0[0]) },
        Opcode("cos", 1) { cos($0[0]) },
        Opcode("erf", 1) { erf($0[0]) },
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
