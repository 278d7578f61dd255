import CPUBackend
import Foundation
import NNRNNCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// The cells of the fixtures.
private func cell(_ fixture: String) -> NNRNN { NNRNN(activation: fixture == "nnrnn" ? ModReLU() : Tanh()) }
private let fixtures = ["nnrnn", "nnrnn_tanh"]

/// A modReLU with a bias above 0 jumps at 0; its gradients are compared with PyTorch's.
@Test(arguments: [1, 4, 5]) func gradientsAgreeWithCentralDifferences(units: Int) throws {
    try checkCell(NNRNN(activation: Tanh()), on: ReferenceBackend(), hiddenWidth: units)
}

@Test func cpuAgreesWithReference() throws {
    try checkCell(NNRNN(activation: Tanh()), on: CPUBackend(), against: ReferenceBackend())
}

@Test(arguments: fixtures) func pyTorchsNumbers(name: String) throws {
    let fixture = try PyTorchFixture(named: name, in: .module)
    try checkCell(cell(name), reproduces: fixture, on: ReferenceBackend(), tolerance: 1e-12)
    try checkCell(cell(name), reproduces: fixture, on: CPUBackend(), tolerance: 1e-5)
}

/// V starts orthogonal: ΘᵀΘ = I, with a rotation in each block and zeros elsewhere.
@Test(arguments: [5, 6]) func thetaStartsAsRotations(units: Int) throws {
    let backend = ReferenceBackend(), store = ParameterStore()
    let layer = try RecurrentLayer(NNRNN(), inputWidth: 3, hiddenWidth: units, parameters: store, on: backend)
    try store.allocate(on: backend)
    try ParameterInitializer(seed: 1, parameters: store, on: backend).fill(layer)
    let theta: [Double] = backend.download(try #require(store.value(named: "rnn.theta_l0", units)))
    for row in 0..<units {
        for column in 0..<units {
            let product = (0..<units).reduce(0) { $0 + theta[$1 * units + row] * theta[$1 * units + column] }
            #expect(abs(product - (row == column ? 1 : 0)) < 1e-12)
            if row / 2 != column / 2 { #expect(theta[row * units + column] == 0) }
        }
    }
    #expect(theta[1] == -theta[units] && theta[1] != 0 && theta[0] != theta[2 * units + 2])
}

extension ParameterStore {
    fileprivate func value(named name: String, _ units: Int) -> MatrixView? {
        entries.firstIndex { $0.name == name && $0.shape == [units, units] }.map(value)
    }
}
