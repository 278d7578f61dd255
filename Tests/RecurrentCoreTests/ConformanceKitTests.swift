import RecurrentCore
import RecurrentTestSupport
import Testing

/// The conformance checks find mistakes in plug-ins.
@Suite struct ConformanceKitTests {
    private struct Descent: Optimizer {
        var name = "descent"
        var summary = "for this test"
        var stateCount = 0
        var scalarCount = 0
        var values: @Sendable (Int) -> [Double] = { _ in [] }
        var rule:
            @Sendable (SymbolicValue, SymbolicValue, [SymbolicValue], SymbolicValue) -> (SymbolicValue, [SymbolicValue])
        func scalars(step: Int) -> [Double] { values(step) }
        func update(
            parameter: SymbolicValue, gradient: SymbolicValue, state: [SymbolicValue], rate: SymbolicValue,
            scalars: [SymbolicValue]
        ) -> (parameter: SymbolicValue, state: [SymbolicValue]) { rule(parameter, gradient, state, rate) }
    }

    @Test func wrongOptimizersAreFound() throws {
        try checkOptimizer(Descent { p, g, _, rate in (p - rate * g, []) })
        try checkOptimizer(Descent(stateCount: 1) { p, g, s, rate in (p - rate * g, [s[0] + g]) })
        for wrong in [
            Descent { p, g, _, rate in (p + rate * g, []) },
            Descent { p, g, _, rate in (p - rate * g - 1e-3, []) },
            Descent { p, g, _, rate in (p - rate * g / abs(g), []) },
            Descent { p, g, _, rate in (p - 1e-4 * rate * g, []) },
            Descent(stateCount: 1) { p, g, s, rate in (p - rate * g / s[0], [s[0] + g * g]) },
            Descent(stateCount: 1) { p, g, s, rate in (p - rate * s[0], [g - s[0] * 1.5]) },
            Descent(values: { [Double($0)] }) { p, g, _, rate in (p - rate * g, []) },
            Descent(scalarCount: 1, values: { [1 / Double($0 - 1)] }) { p, g, _, rate in (p - rate * g, []) },
            Descent { p, g, _, rate in (p - rate * g * .uniform, []) },
            Descent(name: "") { p, g, _, rate in (p - rate * g, []) },
        ] {
            #expect(throws: ConformanceFailure.self) { try checkOptimizer(wrong) }
        }
    }

    private struct Initial: SkewInitialization {
        var name = "initial"
        var summary = "for this test"
        var make: @Sendable (Int, inout RandomStream) -> [Double]
        func values(size: Int, random: inout RandomStream) -> [Double] { make(size, &random) }
    }

    @Test func wrongSkewInitializationsAreFound() throws {
        try checkSkewInitialization(Initial { size, _ in (0..<size * size).map { Double($0 % size - $0 / size) } })
        for wrong in [
            Initial { size, _ in (0..<size * size).map { Double($0 % size + $0 / size) } },
            Initial { size, _ in (0..<size * size).map { $0 % size == $0 / size ? 1e-9 : 0 } },
            Initial { size, _ in [Double](repeating: 0, count: size) },
            Initial { size, _ in (0..<size * size).map { $0 % size == $0 / size ? .nan : 0 } },
            Initial { size, random in (0..<size * size).map { _ in random.uniform() } },
            Initial { size, _ in
                var unkeyed = SystemRandomNumberGenerator()
                let a = Double.random(in: 0...1, using: &unkeyed)
                return (0..<size * size).map { a * Double($0 % size - $0 / size) }
            },
        ] {
            #expect(throws: ConformanceFailure.self) { try checkSkewInitialization(wrong) }
        }
    }
}
