import CPUBackend
import CoRNNCell
import Foundation
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// The cells of the fixtures.
private func cell(_ fixture: String) -> CoRNN {
    var options = CoRNN.Options()
    if fixture == "cornn_implicit" {
        (options.timeStep, options.frequency, options.damping) = (0.6, 1.3, 2.1)
        options.dampingScheme = .implicit
    }
    return CoRNN(options: options)
}
private let fixtures = ["cornn", "cornn_implicit"]

@Test(arguments: fixtures) func gradientsAgreeWithCentralDifferences(fixture: String) throws {
    try checkCell(cell(fixture), on: ReferenceBackend())
}

@Test(arguments: fixtures) func cpuAgreesWithReference(fixture: String) throws {
    try checkCell(cell(fixture), on: CPUBackend(), against: ReferenceBackend())
}

@Test(arguments: fixtures) func pyTorchsNumbers(name: String) throws {
    let fixture = try PyTorchFixture(named: name, in: .module)
    try checkCell(cell(name), reproduces: fixture, on: ReferenceBackend(), tolerance: 1e-12)
    try checkCell(cell(name), reproduces: fixture, on: CPUBackend(), tolerance: 1e-5)
}

/// Undriven oscillators lose energy if the damping is implicit, and gain it if the step is too long for explicit damping.
@Test(arguments: CoRNN.DampingScheme.allCases) func energy(scheme: CoRNN.DampingScheme) throws {
    var options = CoRNN.Options()
    (options.timeStep, options.frequency, options.damping, options.dampingScheme) = (1, 1, 4.7, scheme)
    let backend = ReferenceBackend(), store = ParameterStore()
    let layer = try RecurrentLayer(
        CoRNN(options: options), inputWidth: 1, hiddenWidth: 1, parameters: store, on: backend)
    try store.allocate(on: backend)
    let one = try backend.makeMatrix([1.0], rows: 1, columns: 1)
    let outputs = try layer.forward(
        backend.allocate(rows: 20, columns: 1), steps: 20, batch: 1, initial: .given([one, one]), options: .inference)
    let last = abs((backend.download(outputs) as [Double])[19])
    #expect(scheme == .implicit ? last < 0.1 : last > 1e3)
}
