import Foundation
import RecurrentCore
import RecurrentTestSupport
import Testing

/// Compares differentiation with central differences and known derivatives.
@Suite struct ExpressionDerivativeTests {
    private func derivatives(_ opcode: Opcode) -> PointwiseProgram {
        PointwiseProgram.withDerivatives(inputs: opcode.arity) { x, _ in opcode.apply(x) }
    }

    /// The points stay away from kinks.
    @Test(arguments: Opcode.all)
    func everyOperation(opcode: Opcode) {
        let program = derivatives(opcode)
        let range = ["log", "sqrt"].contains(opcode.description) ? 0.5...4.0 : -3.0...3.0
        var random = RandomStream(RandomKey(seed: 1, purpose: .test))
        var compared = 0
        while compared < 200 {
            let x = (0..<opcode.arity).map { _ in random.uniform(in: range) }
            let isNearKink =
                opcode.arity == 2 ? abs(x[0] - x[1]) < 0.05 || abs(x[1]) < 0.5 : abs(x[0]) < 0.05
            if isNearKink { continue }
            compared += 1
            let slopes = Array(program.evaluate(x).dropFirst())
            let expected = centralDifferences(x) { program.evaluate($0)[0] }
            #expect(
                zip(slopes, expected).allSatisfy { abs($0 - $1) <= 1e-7 * max(1, abs($1)) },
                "\(opcode) at \(x): \(slopes), differences \(expected)")
        }
    }

    @Test func knownDerivatives() {
        func slopes(_ x: [Double], _ equation: ([SymbolicValue]) -> SymbolicValue) -> [Double] {
            Array(PointwiseProgram.withDerivatives(inputs: x.count) { x, _ in equation(x) }.evaluate(x).dropFirst())
        }
        #expect(slopes([3, 4]) { $0[0] * $0[1] } == [4, 3])
        #expect(slopes([3, 4]) { $0[0] / $0[1] } == [0.25, -0.1875])
        #expect(slopes([0]) { tanh($0[0]) } == [1])
        #expect(slopes([0]) { sigmoid($0[0]) } == [0.25])
        #expect(slopes([0]) { sin($0[0]) } == [1] && slopes([0]) { cos($0[0]) } == [0])
        #expect(slopes([0]) { erf($0[0]) } == [2 / Double.pi.squareRoot()])
        #expect(slopes([4]) { sqrt($0[0]) } == [0.25])
        #expect(slopes([4]) { log($0[0]) } == [0.25])
        // The contributions of an input that is used several times add up.
        #expect(slopes([3]) { $0[0] * $0[0] * $0[0] } == [27])
        #expect(slopes([2, 5]) { $0[0] * $0[0] + $0[0] * $0[1] - $0[0] } == [8, 2])
        // An input without influence has slope 0.
        #expect(slopes([2, 5]) { exp($0[1] * 0) + $0[0] } == [1, 0])
        #expect(slopes([2, 5]) { sign($0[0]) + ($0[0] > $0[1]) + ($0[0] == $0[1]) } == [0, 0])
    }

    /// Powers and their slopes against `Foundation.pow`, and where they stop being defined.
    @Test func powers() {
        func both(_ x: [Double], _ equation: ([SymbolicValue]) -> SymbolicValue) -> [Double] {
            PointwiseProgram.withDerivatives(inputs: x.count) { x, _ in equation(x) }.evaluate(x)
        }
        func agree(_ a: [Double], _ b: [Double]) -> Bool {
            zip(a, b).allSatisfy { abs($0 - $1) <= 1e-13 * abs($1) || $0 == $1 || $0.isNaN && $1.isNaN }
        }
        for exponent in [-65.0, -64, -3, -2.5, -1, -0.5, 0, 0.3, 0.5, 1, 2, 3, 7, 64, 65] {
            for x in [0.25, 1, 1.7] {
                let slope = exponent * Foundation.pow(x, exponent - 1)
                let isRight = agree(both([x]) { pow($0[0], exponent) }, [Foundation.pow(x, exponent), slope])
                #expect(isRight, "\(x) ^ \(exponent)")
            }
        }
        // Whole exponents are for all numbers.
        #expect(both([-2]) { pow($0[0], 3) } == [-8, 12] && both([-2]) { pow($0[0], -2) } == [0.25, 0.25])
        #expect(both([0]) { pow($0[0], 2) } == [0, 0] && both([0]) { pow($0[0], 1) } == [0, 1])
        #expect(both([0]) { pow($0[0], 0) } == [1, 0] && both([0]) { pow($0[0], -1) } == [.infinity, -.infinity])
        #expect(both([0]) { pow($0[0], 0.5) } == [0, .infinity])
        #expect(agree(both([0]) { pow($0[0], 1.5) }, [0, .nan]))
        #expect(both([-1]) { pow($0[0], 1.5) }[0].isNaN)
        // A power of two values, and of a number.
        let (x, y) = (1.7, -2.3), power = Foundation.pow(x, y)
        #expect(agree(both([x, y]) { pow($0[0], $0[1]) }, [power, y * power / x, power * Foundation.log(x)]))
        #expect(both([-1, 2]) { pow($0[0], $0[1]) }[0].isNaN)
        #expect(agree(both([3]) { pow(2, $0[0]) }, [8, 8 * Foundation.log(2)]))
        // Few multiplications, shared where they are equal.
        let program = PointwiseProgram(inputs: 1) { x, _ in [pow(x[0], 8) + pow(x[0], 4)] }
        #expect(program.instructions.count == 5)
    }

    /// The conventions at kinks, on which cells rely.
    @Test func kinks() {
        func slope(_ x: Double, _ equation: (SymbolicValue) -> SymbolicValue) -> Double {
            PointwiseProgram.withDerivatives(inputs: 1) { x, _ in equation(x[0]) }.evaluate([x])[1]
        }
        #expect(slope(0) { abs($0) } == 0)
        #expect(slope(0) { max($0, 0) } == 0 && slope(0) { max(0, $0) } == 0)
        #expect(slope(1e-300) { max($0, 0) } == 1 && slope(-1e-300) { max($0, 0) } == 0)
        #expect(slope(0.5) { min(max($0, -1), 1) } == 1)
        #expect([-2, 2].allSatisfy { x in slope(x) { min(max($0, -1), 1) } == 0 })
        #expect(slope(3) { min(2, $0) } == 0 && slope(1) { min(2, $0) } == 1)
        // Exactly one of two equal operands gets the gradient.
        for (x, y) in [(1.0, 1.0), (0, 0), (-2, -2)] {
            for extremum in [{ max($0, $1) }, { min($0, $1) }] as [(SymbolicValue, SymbolicValue) -> SymbolicValue] {
                let program = PointwiseProgram.withDerivatives(inputs: 2) { x, _ in extremum(x[0], x[1]) }
                #expect(program.evaluate([x, y]).dropFirst().reduce(0, +) == 1)
            }
        }
        // No gradient flows into a condition.
        let choice = PointwiseProgram.withDerivatives(inputs: 3) { x, _ in select(x[0], x[1] * 2, x[2] * 3) }
        #expect(choice.evaluate([1, 5, 7]) == [10, 0, 2, 0])
        #expect(choice.evaluate([0, 5, 7]) == [21, 0, 0, 3])
    }

    @Test func largeArgumentsGiveFiniteSlopes() {
        for x in [-1000.0, -40, 40, 1000] {
            for equation in [
                { tanh($0) }, { sigmoid($0) }, { abs($0) }, { max($0, 0) }, { sin($0) }, { cos($0) }, { erf($0) },
            ]
                as [(SymbolicValue) -> SymbolicValue]
            {
                let result = PointwiseProgram.withDerivatives(inputs: 1) { x, _ in equation(x[0]) }.evaluate([x])
                #expect(result.allSatisfy { $0.isFinite })
            }
        }
    }

    /// Random programs of twenty operations, in which most values are used several times.
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func randomPrograms(seed: UInt64) throws {
        let program = PointwiseProgram.withDerivatives(inputs: 4, scalars: 1) { x, s in
            var random = RandomStream(RandomKey(seed: seed, purpose: .test))
            var pool = x + [s[0], 0.5]
            for _ in 0..<20 {
                func pick() -> SymbolicValue { pool[random.integer(below: pool.count)] }
                let (a, b, c) = (pick(), pick(), pick())
                pool.append(
                    [
                        a + b, a - b, a * b, a / (2 + sigmoid(b)), tanh(a), sigmoid(a), exp(-abs(a)), log(2 + a * a),
                        sqrt(1 + b * b), max(a, b), min(a, c), select(a > b, c, a * c), -a, sign(a) * b,
                        sin(a), cos(a * b), erf(b),
                    ][random.integer(below: 17)])
            }
            return pool[6...].reduce(0) { $0 + tanh($1) }
        }
        var random = RandomStream(RandomKey(seed: seed, purpose: .test, step: 1))
        var compared = 0
        for _ in 0..<20 {
            let x = (0..<4).map { _ in random.uniform(in: -1.5...1.5) }
            func value(_ x: [Double]) -> Double { program.evaluate(x, scalars: [0.7])[0] }
            // If two step widths disagree, there is a kink in between.
            let wide = centralDifferences(x, step: 2e-4, value), narrow = centralDifferences(x, step: 1e-4, value)
            guard relativeError(wide, narrow) < 1e-7 else { continue }
            compared += 1
            let slopes = Array(program.evaluate(x, scalars: [0.7]).dropFirst())
            let error = relativeError(slopes, narrow)
            #expect(error < 1e-6, "seed \(seed), at \(x): \(slopes), differences \(narrow)")
        }
        #expect(compared >= 10, "smooth at \(compared) of 20 points")
    }
}
