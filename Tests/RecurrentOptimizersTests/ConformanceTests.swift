import Foundation
import RecurrentCore
import RecurrentOptimizers
import RecurrentTestSupport
import Testing

@Test func optimizersConform() throws {
    try checkOptimizer(SGD())
    try checkOptimizer(SGD(momentum: 0.9))
    try checkOptimizer(SGD(momentum: 0.9, nesterov: true))
    try checkOptimizer(RMSprop())
    try checkOptimizer(Adam())
    try checkOptimizer(AdamW(weightDecay: 0.001))
}

@Test func namesAreDistinct() {
    let optimizers: [any Optimizer] = [SGD(), RMSprop(), Adam(), AdamW()]
    #expect(optimizers.map(\.name) == ["sgd", "rmsprop", "adam", "adamw"])
}

/// Kingma & Ba, Algorithm 1: m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ).
@Test(arguments: [1, 2, 10, 1000, 100_000, 100_000_000])
func biasCorrectionHoldsAtAnyStep(step: Int) {
    for (beta1, beta2) in [(0.9, 0.999), (0.5, 0.9999), (0, 0)] {
        let scalars = Adam(beta1: beta1, beta2: beta2).scalars(step: step)
        let expected = [1 / (1 - pow(beta1, Double(step))), 1 / (1 - pow(beta2, Double(step))).squareRoot()]
        for (actual, expected) in zip(scalars, expected) {
            #expect((actual - expected).magnitude <= 1e-12 * expected)
        }
    }
}

/// A weight without a gradient decays by exactly (1 − rate · decay) per step.
@Test func adamWDecaysWithoutGradient() {
    let optimizer = AdamW(weightDecay: 0.25)
    var parameter = 2.0
    for step in 1...8 {
        parameter =
            optimizer.program.evaluate(
                [parameter, 0, 0, 0], scalars: [0.5] + optimizer.scalars(step: step))[0]
    }
    #expect((parameter - 2 * pow(0.875, 8)).magnitude < 1e-15)
}

/// Adam's first step equals the rate, whatever the gradient's magnitude.
@Test(arguments: [1e-3, 1, 1e6])
func adamsFirstStepIsTheRate(gradient: Double) {
    let optimizer = Adam()
    let parameter = optimizer.program.evaluate([0, gradient, 0, 0], scalars: [0.01] + optimizer.scalars(step: 1))[0]
    #expect((parameter + 0.01).magnitude < 0.01 * 1e-8 / gradient + 1e-15)
}

/// As in torch, Nesterov's look-ahead without a momentum is refused rather than ignored.
@Test func optimizersCheckTheirOptions() throws {
    let error = #expect(throws: RecurrentError.self) { try SGD(momentum: 0, nesterov: true).check() }
    #expect(error?.description.contains("`nesterov` needs a `momentum` above 0") == true)
    for wrong in [SGD(momentum: 1), Adam(beta1: 1), AdamW(beta2: -1), RMSprop(decay: 2)] as [any Optimizer] {
        #expect(throws: RecurrentError.self) { try wrong.check() }
    }
}

/// An optimizer with another weight decay is the optimizer that was created with it.
@Test(arguments: [0, 0.125]) func aWeightDecayMayBeChosen(decay: Double) throws {
    let pairs: [(any Optimizer, any Optimizer)] = [
        (SGD(momentum: 0.5, nesterov: true, weightDecay: 0.5), SGD(momentum: 0.5, nesterov: true, weightDecay: decay)),
        (RMSprop(decay: 0.75, weightDecay: 0.5), RMSprop(decay: 0.75, weightDecay: decay)),
        (Adam(beta1: 0.5, weightDecay: 0.5), Adam(beta1: 0.5, weightDecay: decay)),
        (AdamW(beta2: 0.75, weightDecay: 0.5), AdamW(beta2: 0.75, weightDecay: decay)),
    ]
    for (optimizer, expected) in pairs {
        let changed = try optimizer.withWeightDecay(decay)
        func updated(_ optimizer: any Optimizer) -> [Double] {
            optimizer.program.evaluate(
                [1.5, 0.25, 0.5, 0.125].prefix(2 + optimizer.stateCount).map { $0 },
                scalars: [0.5] + optimizer.scalars(step: 2))
        }
        #expect(updated(changed) == updated(expected) && updated(changed) != updated(optimizer), "\(optimizer.name)")
        #expect(changed.penalty == expected.penalty && changed.stateCount == optimizer.stateCount)
        #expect(throws: RecurrentError.self) { try optimizer.withWeightDecay(-1).check() }
    }
}
