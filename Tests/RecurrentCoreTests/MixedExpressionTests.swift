import Foundation
import RecurrentCore
import Testing

/// Long expressions of values, numbers of type Double and literals. That this file compiles, in a few seconds, is most of
/// the test; with `-Xfrontend -warn-long-expression-type-checking=200` the compiler names an expression that takes long.
struct MixedExpressionTests {
    struct Options {
        var timeStep = 0.125, gamma = 1.5, epsilon = 0.75
    }

    /// A coupled oscillator with gates, in which every term is written as papers print it.
    struct Oscillator: RecurrentCell {
        var options = Options()
        var name: String { "oscillator" }
        var summary: String { "two states, gates and numbers" }
        var stateNames: [String] { ["y", "z"] }
        var parameters: [CellParameter] {
            [.inputWeight("U"), .inputWeight("G"), .recurrentWeight("W"), .recurrentWeight("V"), .inputBias("b")]
        }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            let (y, z) = (states[0], states[1])
            let dt = options.timeStep, gamma = options.gamma, epsilon = options.epsilon
            let gate = 1 / (1 + exp(-(p.G • x) - 0.5 * p.b * (2 - gamma)))
            let force = tanh(p.U • x + p.W • (gamma * y) + p.V • z - epsilon * p.b + 0.1)
            let velocity = z + dt * (force - gamma * y - epsilon * z)
            let slow = (1 - dt) * velocity + dt * tanh(p.W • (epsilon * y) + p.b) * (1 - gate) - 0.25 * dt * dt * z
            return [y + dt * (gate * velocity + (1 - gate) * slow), 0.5 * (velocity + slow) * (2 - dt * gamma)]
        }
    }

    @Test func aCellOfMixedExpressionsCompiles() throws {
        #expect(try StepCompiler.compile(Oscillator(), inputWidth: 3, hiddenWidth: 4).forwardLoop.count > 1)
    }

    /// The values of all operators and functions, with the number on either side.
    @Test func operators() {
        func value(_ expression: (SymbolicValue) -> SymbolicValue) -> Double {
            PointwiseProgram(inputs: 1) { x, _ in [expression(x[0])] }.evaluate([8])[0]
        }
        let two = 2.0, ten = 10.0
        #expect(value { $0 + two } == 10 && value { two + $0 } == 10)
        #expect(value { $0 - two } == 6 && value { two - $0 } == -6)
        #expect(value { $0 * two } == 16 && value { two * $0 } == 16)
        #expect(value { $0 / two } == 4 && value { two / $0 } == 0.25)
        #expect(
            value { $0 > two } == 1 && value { two > $0 } == 0 && value { $0 > ten } == 0 && value { ten > $0 } == 1)
        #expect(
            value { $0 < two } == 0 && value { two < $0 } == 1 && value { $0 < ten } == 1 && value { ten < $0 } == 0)
        #expect(value { max($0, ten) } == 10 && value { max(ten, $0) } == 10 && value { max($0, two) } == 8)
        #expect(value { min($0, two) } == 2 && value { min(two, $0) } == 2 && value { min(ten, $0) } == 8)
        #expect(value { select($0 > two, $0, ten) } == 8 && value { select($0 < two, $0, ten) } == 10)
        #expect(value { select($0 > two, ten, $0) } == 10 && value { select($0 < two, ten, $0) } == 8)
        #expect(value { select($0 > two, two, ten) } == 2 && value { select($0 < two, two, ten) } == 10)
        #expect(abs(value { pow(two, $0) } - 256) < 1e-12 && value { pow($0, two) } == 64)
    }

    /// Numbers with literals remain numbers, whatever the file imports.
    @Test(arguments: [0.25]) func numbersRemainNumbers(rate: Double) {
        let isLess = rate < 1, isGreater = 0.5 > rate, difference = 1 - rate, product = 2 * rate * 0.5
        let larger = max(rate, 0), smaller = min(1, rate), power = pow(rate, 2), whole = max(1, 2) - 3 * 4
        let booleans: [Bool] = [isLess, isGreater], numbers: [Double] = [difference, product, larger, smaller, power]
        #expect(booleans == [true, true] && numbers == [0.75, 0.25, 0.25, 0.25, 0.0625] && whole as Int == -10)
        let value: SymbolicValue = 2 * 3 + 1 - rate
        #expect(PointwiseProgram(inputs: 0) { _, _ in [value] }.evaluate([]) == [6.75])
    }

    /// A dozen long expressions, against the same in numbers.
    @Test func longExpressions() {
        let (dt, gamma, epsilon) = (0.125, 1.5, 0.75)
        let program = PointwiseProgram(inputs: 4) { v, _ in
            let (y, z, x, u) = (v[0], v[1], v[2], v[3])
            let a = z + dt * (tanh(x) - gamma * y - epsilon * z)
            let b = (z + dt * (x - gamma * y)) / (1 + dt * epsilon)
            let c = y + dt * (sigmoid(x) * z - gamma * y + 0.5 * epsilon * (1 - u) - 2 * dt * x)
            let d = dt * dt * (x - 2 * y + z) - gamma * dt * (y - z) + epsilon * (1 - dt * gamma) * x
            let e = max(min(y + dt * z, gamma), -1) + max(0, x) * dt - min(1, epsilon * u)
            let f = select(x > gamma, y + dt * z, epsilon * y) - select(epsilon < x, 1, dt * x)
            let g = exp(-dt * x) * y + (1 - exp(-epsilon * dt * x)) / (gamma + epsilon) * z
            let h = u * (z + dt * (x - gamma * y - epsilon * z)) + (1 - u) * (y + dt * z) * gamma / 2
            let i = 1 / (1 + exp(-(gamma * x + dt * y - epsilon))) * (2 * u - 1) + dt
            let j = z - dt * (gamma * (y - u) + epsilon * (z - 1) - 3 * x * (1 - x * dt) + dt / gamma)
            let k = 2 * (1 - x) * y - 3 + 0.5 * dt * x * x - pow(x, 2) * epsilon + pow(y * y + gamma, -0.5)
            let l = (x - epsilon) * (x + epsilon) / (dt + x * x) - (gamma - y) * (gamma + y) * dt
            return [a, b, c, d, e, f, g, h, i, j, k, l]
        }
        for (y, z, x, u) in [(0.5, -1.25, 2.0, 0.25), (-2, 0.75, -0.5, 1), (1, 3, 0.5, 0.125)] {
            let ours = program.evaluate([y, z, x, u])
            let sigmoid = RealFunctions.sigmoid(x), fading = RealFunctions.exp(-epsilon * dt * x)
            var theirs: [Double] = []
            theirs.append(z + dt * (RealFunctions.tanh(x) - gamma * y - epsilon * z))
            theirs.append((z + dt * (x - gamma * y)) / (1 + dt * epsilon))
            theirs.append(y + dt * (sigmoid * z - gamma * y + 0.5 * epsilon * (1 - u) - 2 * dt * x))
            theirs.append(dt * dt * (x - 2 * y + z) - gamma * dt * (y - z) + epsilon * (1 - dt * gamma) * x)
            theirs.append(max(min(y + dt * z, gamma), -1) + max(0, x) * dt - min(1, epsilon * u))
            theirs.append((x > gamma ? y + dt * z : epsilon * y) - (epsilon < x ? 1 : dt * x))
            theirs.append(RealFunctions.exp(-dt * x) * y + (1 - fading) / (gamma + epsilon) * z)
            theirs.append(u * (z + dt * (x - gamma * y - epsilon * z)) + (1 - u) * (y + dt * z) * gamma / 2)
            theirs.append(1 / (1 + RealFunctions.exp(-(gamma * x + dt * y - epsilon))) * (2 * u - 1) + dt)
            theirs.append(z - dt * (gamma * (y - u) + epsilon * (z - 1) - 3 * x * (1 - x * dt) + dt / gamma))
            let quadratic = 2 * (1 - x) * y - 3 + 0.5 * dt * x * x
            theirs.append(quadratic - x * x * epsilon + 1 / (y * y + gamma).squareRoot())
            theirs.append((x - epsilon) * (x + epsilon) / (dt + x * x) - (gamma - y) * (gamma + y) * dt)
            for (index, pair) in zip(ours, theirs).enumerated() {
                #expect(abs(pair.0 - pair.1) < 1e-14, "expression \(index) at \(y), \(z), \(x), \(u)")
            }
        }
    }
}
