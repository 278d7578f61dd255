import RecurrentCore
import RecurrentTestSupport
import Testing

/// The compilation of expressions to programs: folding, sharing, order.
@Suite struct ExpressionProgramTests {
    /// Returns the operations, without leaves, of a program of up to three inputs and one scalar.
    private func operations(_ equation: ([SymbolicValue], SymbolicValue) -> SymbolicValue) -> [PointwiseOperation] {
        PointwiseProgram(inputs: 3, scalars: 1) { x, s in [equation(x, s[0])] }.instructions.map(\.operation).filter {
            $0.arity > 0
        }
    }

    private func outcome(_ equation: ([SymbolicValue], SymbolicValue) -> SymbolicValue) -> PointwiseOperation {
        let program = PointwiseProgram(inputs: 3, scalars: 1) { x, s in [equation(x, s[0])] }
        return program.instructions[program.outputs[0]].operation
    }

    @Test(arguments: Opcode.all)
    func constantsAreFolded(opcode: Opcode) {
        let numbers = Array([0.75, -0.5, 2].prefix(opcode.arity))
        let direct = PointwiseProgram(inputs: opcode.arity) { x, _ in [opcode.apply(x)] }
        let folded = PointwiseProgram(inputs: 0) { _, _ in [opcode.apply(numbers.map { SymbolicValue($0) })] }
        #expect(folded.instructions.count == 1)
        let (a, b) = (direct.evaluate(numbers)[0], folded.evaluate([])[0])
        #expect(a == b || (a.isNaN && b.isNaN))
    }

    @Test func neutralElementsVanish() {
        for equation in [
            { x, _ in x[0] + 0 }, { x, _ in 0 + x[0] }, { x, _ in x[0] - 0 }, { x, _ in x[0] * 1 },
            { x, _ in 1 * x[0] },
            { x, _ in x[0] / 1 }, { x, _ in -(-x[0]) }, { x, _ in select(x[1], x[0], x[0]) },
            { x, _ in select(1, x[0], x[1]) }, { x, _ in select(0, x[1], x[0]) }, { x, _ in x[0] + x[1] * 0 },
            { x, _ in -1 * (-1 * x[0]) },
        ] as [([SymbolicValue], SymbolicValue) -> SymbolicValue] {
            #expect(outcome(equation) == .input(0))
        }
        #expect(outcome { x, _ in 0 * x[0] } == .constant(0))
        #expect(outcome { x, _ in 0 / x[0] } == .constant(0))
        #expect(outcome { x, _ in exp(x[0] * 0) } == .constant(1))
    }

    @Test func negationsAreAbsorbed() {
        #expect(operations { x, _ in x[0] + -x[1] } == [.subtract])
        #expect(operations { x, _ in -x[0] + x[1] } == [.subtract])
        #expect(operations { x, _ in x[0] - -x[1] } == [.add])
        #expect(operations { x, _ in 0 - x[0] } == [.negate])
        #expect(operations { x, _ in -1 * x[0] } == [.negate])
        // The negation must stay with the right operand.
        let program = PointwiseProgram(inputs: 2) { x, _ in [x[0] + -x[1], -x[0] + x[1], x[0] - -x[1], -x[0] - -x[1]] }
        #expect(program.evaluate([5, 3]) == [2, -2, 8, -2])
    }

    /// Simplification doesn't change a program's values.
    @Test func simplificationKeepsValues() {
        let ones = PointwiseProgram(inputs: 3) { x, _ in
            let (zero, one) = (SymbolicValue(0), SymbolicValue(1))
            return [
                zero - x[0], one * x[1] + zero, select(x[2], x[0], x[0]) * -1, -(x[0] - x[1]), x[0] * x[1] - -x[2],
                (x[0] + zero) / one - x[2] * zero,
            ]
        }
        for x in [[1.0, 2, 3], [-0.5, 0, 7], [1e9, -1e-9, 0]] {
            #expect(
                ones.evaluate(x) == [-x[0], x[1], -x[0], -(x[0] - x[1]), x[0] * x[1] + x[2], x[0]])
        }
    }

    @Test func equalSubexpressionsAreOneInstruction() {
        #expect(operations { x, _ in tanh(x[0] + x[1]) * tanh(x[1] + x[0]) } == [.add, .tanh, .multiply])
        #expect(operations { x, _ in max(x[0], x[1]) - max(x[1], x[0]) } == [.maximum, .subtract])
        #expect(operations { x, _ in (x[0] - x[1]) * (x[1] - x[0]) }.count == 3)
        // Constants and scalars are shared too, across outputs.
        let program = PointwiseProgram(inputs: 1, scalars: 1) { x, s in [x[0] * s[0] + 2, exp(s[0] * x[0] + 2)] }
        #expect(program.instructions.count == 6)
        // All uses of the generator in a program are one number per element.
        let draws = PointwiseProgram(inputs: 0) { _, _ in [.uniform + .uniform] }
        #expect(draws.instructions.count { $0.operation == .uniform } == 1)
        #expect(draws.usesRandomNumbers)
    }

    @Test func operandsComeBeforeTheirUsers() {
        let program = PointwiseProgram(inputs: 3, scalars: 1) { x, s in
            [sigmoid(x[0] * x[1] + s[0]), x[2], select(x[2] > x[0], tanh(x[1]), x[0] * x[1])]
        }
        for (index, instruction) in program.instructions.enumerated() {
            #expect(instruction.operands.count == instruction.operation.arity)
            #expect(instruction.operands.allSatisfy { $0 < index })
        }
        #expect(program.outputs.count == 3)
        #expect(program.inputCount == 3 && program.scalarCount == 1)
    }

    @Test func whatIsNotUsedIsNotComputed() {
        let program = PointwiseProgram(inputs: 2) { x, _ in
            _ = exp(x[1])
            return [x[0] + select(0, log(x[1]), x[0])]
        }
        #expect(program.instructions.map(\.operation) == [.input(0), .add])
    }

    /// A chain of ten thousand terms must not exhaust the stack by recursion.
    @Test func longChains() {
        let program = PointwiseProgram(inputs: 1) { x, _ in
            [(1...10_000).reduce(x[0]) { sum, i in sum * SymbolicValue(1 + 1e-4 / Double(i)) }]
        }
        #expect(program.instructions.count > 10_000)
        #expect(abs(program.evaluate([1])[0] - 1.0009793) < 1e-6)
    }

    @Test func thousandOperandsShared() {
        // Doubling forty times is forty instructions, not 2⁴⁰.
        let program = PointwiseProgram(inputs: 1) { x, _ in [(0..<40).reduce(x[0]) { sum, _ in sum + sum }] }
        #expect(program.instructions.count == 41)
        #expect(program.evaluate([1]) == [0x1p40])
    }

    @Test func theMeaningOfOperationsAtTheirEdges() {
        #expect(
            PointwiseOperation.sign.evaluate(0) == 0 && PointwiseOperation.sign.evaluate(-3) == -1
                && PointwiseOperation.sign.evaluate(.nan) == 0)
        #expect(
            PointwiseOperation.maximum.evaluate(.nan, 1).isNaN && PointwiseOperation.maximum.evaluate(1, .nan).isNaN)
        #expect(
            PointwiseOperation.minimum.evaluate(.nan, 1).isNaN && PointwiseOperation.minimum.evaluate(1, .nan).isNaN)
        #expect(PointwiseOperation.greater.evaluate(1, 1) == 0 && PointwiseOperation.greater.evaluate(.nan, 0) == 0)
        #expect(PointwiseOperation.equal.evaluate(0, -0.0) == 1 && PointwiseOperation.equal.evaluate(.nan, .nan) == 0)
        #expect(
            PointwiseOperation.select.evaluate(-0.5, 1, 2) == 1 && PointwiseOperation.select.evaluate(-0.0, 1, 2) == 2)
        #expect(PointwiseOperation.sigmoid.evaluate(-1000) == 0 && PointwiseOperation.sigmoid.evaluate(1000) == 1)
        #expect(PointwiseOperation.sigmoid.evaluate(-700) > 0)
    }
}
