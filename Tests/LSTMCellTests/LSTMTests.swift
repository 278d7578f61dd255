import CPUBackend
import Foundation
import LSTMCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

@Test(arguments: [Tanh() as any Activation, ReLU(), ModReLU()])
func gradientsAgreeWithCentralDifferences(activation: any Activation) throws {
    try checkCell(LSTM(activation: activation), on: ReferenceBackend())
}

@Test func cpuAgreesWithReference() throws {
    try checkCell(LSTM(), on: CPUBackend(), against: ReferenceBackend())
}

@Test func pyTorchsNumbers() throws {
    let fixture = try PyTorchFixture(named: "lstm", in: .module)
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
