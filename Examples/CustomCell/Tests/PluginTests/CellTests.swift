import CPUBackend
import IndRNNCell
import PeepholeCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// To test a plug-in, call the conformance check of its kind.
@Test(arguments: PeepholeLSTM.Gates.allCases) func peephole(gates: PeepholeLSTM.Gates) throws {
    var options = PeepholeLSTM.Options()
    options.gates = gates
    try checkCell(PeepholeLSTM(options: options), on: ReferenceBackend())
    try checkCell(PeepholeLSTM(options: options), on: CPUBackend(), against: ReferenceBackend())
}

@Test func indRNN() throws {
    for activation in [ReLU() as any Activation, Squareplus()] {
        try checkCell(IndRNN(activation: activation), on: ReferenceBackend())
        try checkCell(IndRNN(activation: activation), on: CPUBackend(), against: ReferenceBackend())
    }
}

@Test func squareplus() throws { try checkActivation(Squareplus()) }

/// All gates' products are one; what follows it is one kernel, and nothing is left for an IndRNN.
@Test func productsAndKernelsOfAStep() throws {
    for (cell, products) in [(PeepholeLSTM() as any RecurrentCell, 1), (IndRNN(), 0)] {
        let plan = try StepCompiler.compile(cell, inputWidth: 30, hiddenWidth: 50)
        for loop in [plan.forwardLoop, plan.backwardLoop] {
            #expect(loop.count { $0.isGEMM } == products)
            #expect(loop.count { $0.isKernel } == 1)
        }
        #expect(plan.prelude.count == 1)
    }
}
