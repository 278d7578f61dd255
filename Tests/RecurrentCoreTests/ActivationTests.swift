import RecurrentCore
import RecurrentTestSupport
import Testing

@Suite struct ActivationTests {
    static let all: [any Activation] = [
        Identity(), AbsoluteValue(), ReLU(), LeakyReLU(slope: 0.5), LeakyReLU(slope: 0.95), LeakyReLU(slope: 0), Tanh(),
        Sigmoid(), ModReLU(),
    ]

    @Test(arguments: all.indices)
    func conforms(index: Int) throws { try checkActivation(Self.all[index]) }

    @Test func values() {
        func value(_ activation: any Activation, _ x: Double, _ parameters: [Double] = []) -> Double {
            PointwiseProgram(inputs: 1 + parameters.count) { x, _ in [activation(x[0], parameters: Array(x[1...]))] }
                .evaluate([x] + parameters)[0]
        }
        #expect(value(LeakyReLU(slope: 0.25), -2) == -0.5 && value(LeakyReLU(slope: 0.25), 2) == 2)
        #expect(value(AbsoluteValue(), -3) == 3 && value(ReLU(), -3) == 0 && value(Identity(), -3) == -3)
        #expect(value(ModReLU(), -3, [-1]) == -2 && value(ModReLU(), 0.5, [-1]) == 0 && value(ModReLU(), 3, [1]) == 4)
    }

    /// An activation that is given by its parts.
    private struct Custom: Activation {
        var name = "custom"
        var summary = "for this test"
        var unitParameters: [UnitParameter] = []
        var slopeBounds: ClosedRange<Double>
        var function: @Sendable (SymbolicValue, [SymbolicValue]) -> SymbolicValue
        func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue {
            function(x, parameters)
        }
    }

    /// The check itself finds mistakes.
    @Test func mistakesAreFound() throws {
        let softsign = Custom(slopeBounds: 0...1) { x, _ in x / (1 + abs(x)) }
        try checkActivation(softsign)
        let scaled = Custom(unitParameters: [UnitParameter("a"), UnitParameter("b")], slopeBounds: 0...1) { x, p in
            tanh(x + p[0]) + p[1]
        }
        try checkActivation(scaled)
        for wrong in [
            // The bounds are too narrow above, or below.
            Custom(slopeBounds: 0...0.9) { x, _ in tanh(x) }, Custom(slopeBounds: 0.1...1) { x, _ in max(x, 0) },
            // The function overflows, or is NaN below 0.
            Custom(slopeBounds: 0...1) { x, _ in log(1 + exp(x)) }, Custom(slopeBounds: 0...10) { x, _ in sqrt(x) },
            Custom(unitParameters: [UnitParameter("a"), UnitParameter("a")], slopeBounds: 0...1) { x, _ in x },
            Custom(name: "", slopeBounds: 1...1) { x, _ in x },
        ] {
            #expect(throws: ConformanceFailure.self) { try checkActivation(wrong) }
        }
    }
}
