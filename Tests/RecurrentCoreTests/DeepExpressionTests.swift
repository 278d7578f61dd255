import CPUBackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// Expressions of 200 000 operations, each the operand of the next, on a small call stack.
///
/// Anything that recurses over the operands overflows it and ends the process.
struct DeepExpressionTests {
    private static let depth = 200_000

    /// Returns `x` after `depth` operations; for `x` = 1, it stays between 0.75 and 1.
    private static func chain(_ x: SymbolicValue, depth: Int = depth) -> SymbolicValue {
        var value = x
        for step in 0..<depth / 2 { value = value * 0.5 + SymbolicValue(step % 2 == 0 ? 0.5 : 0.375) }
        return value
    }

    @Test func aProgramIsCompiledRunAndReleased() throws {
        let values = try withSmallStack {
            let program = PointwiseProgram(inputs: 1) { x, _ in [Self.chain(x[0])] }
            return try [CPUBackend(threads: 1), ReferenceBackend()].map { (backend: any Backend) in
                let x = try backend.makeMatrix([1 as Float, 1], rows: 1, columns: 2)
                backend.run(try backend.compile(program), inputs: [x], outputs: [x])
                let result: [Double] = backend.download(x)
                return result[1]
            } + program.evaluate([1])
        }
        #expect(values.allSatisfy { abs($0 - 0.8333333) < 1e-6 }, "\(values)")
    }

    @Test func derivativesAreFound() throws {
        let slopes = try withSmallStack {
            // The slope of each pair of operations is 1/2, which is lost in the depth; the last `x` counts.
            PointwiseProgram.withDerivatives(inputs: 1) { x, _ in Self.chain(x[0]) + 3 * x[0] }.evaluate([1])
        }
        #expect(slopes[1] == 3)
    }

    /// A cell with a long chain before and after its product; a quarter of the depth each, as compiling
    /// derivatives and saved values takes seconds.
    private struct DeepCell: RecurrentCell {
        var name: String { "deep" }
        var summary: String { "" }
        var parameters: [CellParameter] { [.inputWeight("U"), .recurrentWeight("W"), .inputBias("b")] }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            [chain(p.U • x + p.W • chain(states[0] * p.b, depth: depth / 4), depth: depth / 4)]
        }
    }

    @Test func aCellIsCompiled() throws {
        let plan = try withSmallStack { try StepCompiler.compile(DeepCell(), inputWidth: 2, hiddenWidth: 2) }
        let sizes = plan.programs.map(\.instructions.count)
        #expect(plan.backwardLoop.contains(where: \.isKernel) && sizes.max()! >= Self.depth / 4, "\(sizes)")
    }

    @Test func expressionsThatWereNeverCompiledAreReleased() throws {
        let isShared = try withSmallStack {
            let x = SymbolicValue.uniform
            // The halves are released one after the other, and the lower one is still in use.
            var (lower, upper): (SymbolicValue?, SymbolicValue?) = (Self.chain(x), nil)
            upper = Self.chain(lower!)
            lower = nil
            defer { upper = nil }
            return upper != nil
        }
        #expect(isShared)
    }
}
