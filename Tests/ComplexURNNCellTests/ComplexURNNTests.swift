import CPUBackend
import ComplexURNNCell
import Foundation
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

private func modReLU(_ bias: Double) -> ComplexURNN {
    var options = ModReLU.Options()
    options.initialBias = bias
    return ComplexURNN(activation: ModReLU(options: options))
}

@Test(arguments: [ModReLU() as any Activation, Tanh(), Sigmoid()])
func gradientsAgreeWithCentralDifferences(activation: any Activation) throws {
    try checkCell(ComplexURNN(activation: activation), on: ReferenceBackend())
}

@Test func cpuAgreesWithReference() throws {
    try checkCell(ComplexURNN(activation: Tanh()), on: CPUBackend(), against: ReferenceBackend())
    // A modReLU with a bias above 0 enlarges the rounding of small numbers in each step.
    try checkCell(ComplexURNN(), on: CPUBackend(), against: ReferenceBackend(), steps: 10)
}

@Test func pyTorchsNumbers() throws {
    let fixture = try PyTorchFixture(named: "complex_urnn", in: .module)
    try checkCell(ComplexURNN(), reproduces: fixture, on: ReferenceBackend(), tolerance: 1e-12)
    try checkCell(ComplexURNN(), reproduces: fixture, on: CPUBackend(), tolerance: 1e-5)
}

@Test func statesOfZeroHaveValuesAndGradients() throws {
    for bias in [0.0, -0.1] {
        let backend = ReferenceBackend(), store = ParameterStore()
        let layer = try RecurrentLayer(
            modReLU(bias), inputWidth: 2, hiddenWidth: 3, parameters: store, on: backend)
        try store.allocate(on: backend)
        backend.fill(store.allValues, with: 0)
        for index in store.entries.indices where store.entries[index].name.contains("modrelu") {
            backend.fill(store.value(index), with: bias)
        }
        let input = try backend.allocate(rows: 4, columns: 2)
        let outputs = try layer.forward(input, steps: 4, batch: 1, options: .training)
        #expect(backend.download(outputs, as: Double.self).allSatisfy { $0 == 0 })
        backend.fill(layer.outputGradient, with: 1)
        try layer.backward()
        #expect(backend.download(store.allGradients, as: Double.self).allSatisfy { $0.isFinite })
    }
}

@Test func slopeBoundsFollowTheBias() {
    func bounds(_ biases: [Double]) -> ClosedRange<Double>? { ComplexURNN().slopeBounds { _ in biases } }
    #expect(bounds([0, 0]) == 1...1 && bounds([-0.1, 0]) == 0...1 && bounds([-0.1, 0.1]) == nil)
    #expect(ComplexURNN(activation: Tanh()).slopeBounds { _ in [] } == 0...1)
    #expect(ComplexURNN(activation: Snake()).slopeBounds { _ in [1, 3] } == 0...2)
    #expect(ComplexURNN(activation: Sigmoid()).slopeBounds { _ in [] } == nil)
}
