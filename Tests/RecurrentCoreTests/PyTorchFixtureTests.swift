import RecurrentTestSupport
import Testing

/// Checks that the fixtures contain what the tests that use them rely on.
@Suite struct PyTorchFixtures {
    private func expectWhole(_ tensors: [String: FixtureTensor]) {
        for (name, tensor) in tensors {
            #expect(tensor.shape.reduce(1, *) == tensor.values.count, "\(name)")
            #expect(tensor.values.contains { $0 != 0 }, "\(name)")
        }
    }

    @Test(arguments: PyTorchFixture.names)
    func recurrentModules(name: String) throws {
        let fixture = try PyTorchFixture.load(name)
        for tensors in [fixture.parameters, fixture.inputs, fixture.outputs, fixture.lossWeights, fixture.gradients] {
            expectWhole(tensors)
        }
        #expect(fixture.inputs["input"]?.shape == [fixture.steps, fixture.batch, fixture.inputSize])
        #expect(fixture.outputs["output"]?.shape == [fixture.steps, fixture.batch, fixture.hiddenSize])
        #expect(fixture.outputs["h_n"]?.shape == [fixture.layers, fixture.batch, fixture.hiddenSize])
        #expect(Set(fixture.gradients.keys) == Set(fixture.parameters.keys).union(fixture.inputs.keys))
        for (name, tensor) in fixture.parameters { #expect(fixture.gradients[name]?.shape == tensor.shape) }
        var loss = 0.0
        for (name, output) in fixture.outputs {
            loss += zip(output.values, fixture.lossWeights[name]!.values).reduce(0) { $0 + $1.0 * $1.1 }
        }
        #expect(abs(loss - fixture.loss) < 1e-12)
    }

    @Test(arguments: PyTorchModelFixture.names)
    func models(name: String) throws {
        let fixture = try PyTorchModelFixture.load(name)
        expectWhole(fixture.parameters)
        for step in fixture.batches {
            expectWhole(step.gradients)
            #expect(step.tokens.count == fixture.steps * fixture.batch)
            #expect(step.targets.count == step.losses.values.count)
            #expect(step.logits.values.count == step.targets.count * fixture.classes)
            #expect(abs(step.losses.values.reduce(0, +) / Double(step.targets.count) - step.loss) < 1e-12)
            #expect(Set(step.gradients.keys) == Set(fixture.parameters.keys))
        }
    }
}
