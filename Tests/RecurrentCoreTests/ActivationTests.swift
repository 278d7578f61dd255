import Foundation
import RecurrentCore
import RecurrentTestSupport
import Testing

@Suite struct ActivationTests {
    static let all: [any Activation] = [
        Identity(), AbsoluteValue(), ReLU(), LeakyReLU(slope: 0.5), LeakyReLU(slope: 0.95), LeakyReLU(slope: 0), Tanh(),
        Sigmoid(), Softsign(), GELU(), SiLU(), ModReLU(), PReLU(), Snake(),
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
        #expect(value(PReLU(), -3, [0.5]) == -1.5 && value(PReLU(), 3, [0.5]) == 3)
        #expect(value(ModReLU(), -3, [-1]) == -2 && value(ModReLU(), 0.5, [-1]) == 0 && value(ModReLU(), 3, [1]) == 4)
    }

    /// Values and derivatives, with respect to the parameter as well, are those of PyTorch.
    @Test(arguments: ["softsign", "gelu", "silu", "prelu", "snake"]) func agreesWithTorch(name: String) throws {
        struct Case: Decodable { let parameter: Double?, x, value, slope: [Double], parameterSlope: [Double]? }
        let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
        let cases = try JSONDecoder().decode(
            [String: [Case]].self, from: Data(contentsOf: folder.appendingPathComponent("activations.json")))
        let activation = try #require(Self.all.first { $0.name == name })
        let program = PointwiseProgram.withDerivatives(inputs: 1 + activation.unitParameters.count) { x, _ in
            activation(x[0], parameters: Array(x[1...]))
        }
        for test in try #require(cases[name]) {
            for (index, x) in test.x.enumerated() {
                let ours = program.evaluate([x] + (test.parameter.map { [$0] } ?? []))
                var theirs = [test.value[index], test.slope[index]]
                if let slopes = test.parameterSlope { theirs.append(slopes[index]) }
                #expect(relativeError(ours, theirs) < 1e-14, "\(name) at \(x), \(test.parameter ?? 0)")
            }
        }
    }

    /// The bounds are those at the parameters' values in all units.
    @Test func boundsFollowTheParameters() {
        #expect(PReLU().slopeBounds == 0.25...1 && PReLU().slopeBounds(at: [[0.5, -2, 1]]) == 0.5...2)
        #expect(PReLU().slopeBounds(at: [[0.5, 0.75]]) == 0.5...1)
        #expect(ModReLU().slopeBounds(at: [[0, 0.5]]) == 1...1 && ModReLU().slopeBounds(at: [[1, -0.5]]) == 0...1)
        #expect(Tanh().slopeBounds(at: []) == 0...1)
        // GELU and SiLU reach their greatest slope.
        for (activation, x) in [(GELU(), 2.0.squareRoot()), (SiLU(), 2.3993572805)] as [(any Activation, Double)] {
            let program = PointwiseProgram.withDerivatives(inputs: 1) { x, _ in activation(x[0], parameters: []) }
            #expect(abs(program.evaluate([x])[1] - activation.slopeBounds.upperBound) < 1e-7)
        }
    }

    /// An activation that is given by its parts.
    private struct Custom: Activation {
        var name = "custom"
        var summary = "for this test"
        var unitParameters: [UnitParameter] = []
        var slopeBounds: ClosedRange<Double>
        var boundsAtParameters: (@Sendable ([[Double]]) -> ClosedRange<Double>)?
        func slopeBounds(at parameters: [[Double]]) -> ClosedRange<Double> {
            boundsAtParameters?(parameters) ?? slopeBounds
        }
        var function: @Sendable (SymbolicValue, [SymbolicValue]) -> SymbolicValue
        func callAsFunction(_ x: SymbolicValue, parameters: [SymbolicValue]) -> SymbolicValue {
            function(x, parameters)
        }
    }

    /// The check itself finds mistakes.
    @Test func mistakesAreFound() throws {
        let softsign = Custom(slopeBounds: 0...1) { x, _ in x / (1 + abs(x)) }
        try checkActivation(softsign)
        let moved = Custom(unitParameters: [UnitParameter("a"), UnitParameter("b")], slopeBounds: 0...1) { x, p in
            tanh(x + p[0]) + p[1]
        }
        try checkActivation(moved)
        /// A multiple of x by a parameter that is 1 at first.
        func scaled(
            _ bounds: ClosedRange<Double>, _ boundsAtParameters: @escaping @Sendable ([[Double]]) -> ClosedRange<Double>
        ) -> Custom {
            Custom(
                unitParameters: [UnitParameter("a", initialValue: 1)], slopeBounds: bounds,
                boundsAtParameters: boundsAtParameters
            ) { x, p in p[0] * x }
        }
        let scaledBounds: @Sendable ([[Double]]) -> ClosedRange<Double> = { parameters in
            let sizes = parameters[0].map { Swift.abs($0) }
            return sizes.min()!...sizes.max()!
        }
        try checkActivation(scaled(1...1, scaledBounds))
        for wrong in [
            // The bounds are too narrow above, or below.
            Custom(slopeBounds: 0...0.9) { x, _ in tanh(x) }, Custom(slopeBounds: 0.1...1) { x, _ in max(x, 0) },
            // The function overflows, or is NaN below 0.
            Custom(slopeBounds: 0...1) { x, _ in log(1 + exp(x)) }, Custom(slopeBounds: 0...10) { x, _ in sqrt(x) },
            Custom(unitParameters: [UnitParameter("a"), UnitParameter("a")], slopeBounds: 0...1) { x, _ in x },
            Custom(name: "", slopeBounds: 1...1) { x, _ in x },
            // The bounds ignore the parameter, or those in other units than the first, the last or the largest.
            scaled(1...1) { _ in 1...1 }, scaled(1...1) { Swift.abs($0[0][0])...Swift.abs($0[0][0]) },
            scaled(1...1) { Swift.abs($0[0].last!)...Swift.abs($0[0].last!) },
            scaled(1...1) { $0[0].map { Swift.abs($0) }.max()!...$0[0].map { Swift.abs($0) }.max()! },
            // The bounds are no numbers, or those without values aren't those at the initial ones.
            scaled(1...1) { _ in 0 ... .infinity }, scaled(2...2, scaledBounds),
        ] {
            #expect(throws: ConformanceFailure.self) { try checkActivation(wrong) }
        }
    }
}
