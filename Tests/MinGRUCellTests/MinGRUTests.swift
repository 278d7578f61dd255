import CPUBackend
import Foundation
import MinGRUCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

private func cell(_ candidate: MinGRU.Candidate) -> MinGRU {
    var options = MinGRU.Options()
    options.candidate = candidate
    return MinGRU(options: options)
}

@Test(arguments: MinGRU.Candidate.allCases)
func gradientsAgreeWithCentralDifferences(candidate: MinGRU.Candidate) throws {
    try checkCell(cell(candidate), on: ReferenceBackend())
}

@Test(arguments: MinGRU.Candidate.allCases) func cpuAgreesWithReference(candidate: MinGRU.Candidate) throws {
    try checkCell(cell(candidate), on: CPUBackend(), against: ReferenceBackend())
}

@Test(arguments: [("mingru", MinGRU.Candidate.linear), ("mingru_positive", .positive)])
func pyTorchsNumbers(name: String, candidate: MinGRU.Candidate) throws {
    let fixture = try PyTorchFixture(named: name, in: .module)
    try checkCell(cell(candidate), reproduces: fixture, on: ReferenceBackend(), tolerance: 1e-12)
    try checkCell(cell(candidate), reproduces: fixture, on: CPUBackend(), tolerance: 1e-5)
}

/// The time loop has no product, and one kernel each way.
@Test(arguments: MinGRU.Candidate.allCases) func noProductInTheLoop(candidate: MinGRU.Candidate) throws {
    let plan = try StepCompiler.compile(cell(candidate), inputWidth: 30, hiddenWidth: 50)
    for loop in [plan.forwardLoop, plan.backwardLoop] {
        #expect(loop.count == 1)
        #expect(loop.allSatisfy { $0.isKernel })
    }
    #expect(plan.prelude.count == 1)
}
