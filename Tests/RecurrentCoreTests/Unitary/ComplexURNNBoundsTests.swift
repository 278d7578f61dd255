import CPUBackend
import ComplexURNNCell
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import Testing

/// Theorem 1 for the complex uRNN on the CPU in Float32.
struct ComplexURNNBoundsTests {
    /// The norms of ∂h_t/∂h_1 stay within their bounds over 200 steps: exactly √(2H) at b = 0, and never more with b < 0.
    @Test(arguments: [ExponentialUpdate() as any ManifoldUpdate, RetractionUpdate(.cayley), ArjovskyUpdate()])
    func normsStayWithinTheBounds(update: any ManifoldUpdate) throws {
        let steps = 200, hidden = 16
        for bias in [0.0, -0.01] {
            let model = try GradientFlowTests.model(ComplexURNN(), hidden: hidden, on: CPUBackend())
            let updater = try ParameterUpdater(
                model: model, optimizer: SGD(), manifold: update, skewInitialization: HenaffSkew(),
                configuration: TrainingConfiguration(learningRate: 0.01))
            let batch = GradientFlowTests.batch(steps: steps)
            for step in 0..<5 {
                _ = try model.computeGradients(batch, step: step)
                try updater.update(learningRate: 0.01)
            }
            let bias = Double(Float(bias)), name = "rnn.modrelu_bias_l0"
            model.backend.fill(try #require(model.parameters[name]).value, with: bias)
            let bounds = try #require(try model.gradientBounds())
            #expect(bounds.gain == (bias == 0 ? 1 : 0)...1 && bounds.width == 2 * hidden, "\(update.name)")
            let norms = try GradientFlow(model).measure(batch, from: 1, to: steps)
            for (index, norm) in norms.steps.enumerated() {
                // In Float32, the singular values of W are 1 ± 1e-6.
                let range = bounds.frobeniusNorm(after: index), rounding = 1e-5 + 1e-6 * Double(index)
                for value in norm.frobenius.values {
                    #expect(
                        value >= range.lowerBound * (1 - rounding) && value <= range.upperBound * (1 + rounding),
                        "\(update.name), b = \(bias): \(value) after \(index) steps")
                }
            }
            // With a bias, units are switched off, so the norm does fall.
            if bias < 0 {
                #expect(norms.last.frobenius.values.allSatisfy { $0 < 0.99 * Double(2 * hidden).squareRoot() })
            }
        }
    }
}
