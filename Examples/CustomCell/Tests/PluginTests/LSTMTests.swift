import CPUBackend
import Foundation
import LSTMCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

@Test func gradientsAgreeWithCentralDifferences() throws {
    try checkCell(LSTM(), on: ReferenceBackend())
    try checkCell(LSTM(activation: Softsign()), on: ReferenceBackend())
}

@Test func cpuAgreesWithReference() throws {
    try checkCell(LSTM(), on: CPUBackend(), against: ReferenceBackend())
}

@Test func pyTorchsNumbers() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../..")
    let fixture = try PyTorchFixture(
        contentsOf: root.appendingPathComponent("Tests/RecurrentCoreTests/Fixtures/lstm.json"))
    try checkCell(LSTM(), reproduces: fixture, on: ReferenceBackend(), tolerance: 1e-12)
    try checkCell(LSTM(), reproduces: fixture, on: CPUBackend(), tolerance: 1e-5)
}

@Test func oneProductAndOneKernelAStep() throws {
    let plan = try StepCompiler.compile(LSTM(), inputWidth: 30, hiddenWidth: 50)
    for loop in [plan.forwardLoop, plan.backwardLoop] {
        #expect(loop.count { $0.isGEMM } == 1)
        #expect(loop.count { $0.isKernel } == 1)
    }
    #expect(plan.prelude.count == 1)
}

@Test func softsign() throws { try checkActivation(Softsign()) }
