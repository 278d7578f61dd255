import CPUBackend
import Foundation
import LEMCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// The cells of the fixtures.
private func cell(_ fixture: String) -> LEM {
    var options = LEM.Options()
    if fixture == "lem_slow" { options.timeStep = 0.21 }
    return LEM(options: options)
}
private let fixtures = ["lem", "lem_slow"]

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

/// The three weights that multiply y share a product; the one that multiplies the new z follows.
@Test func twoProductsAStep() throws {
    let plan = try StepCompiler.compile(LEM(), inputWidth: 30, hiddenWidth: 50)
    #expect(plan.forwardLoop.count { $0.isGEMM } == 2)
    #expect(plan.backwardLoop.count { $0.isGEMM } == 2)
    #expect(plan.prelude.count == 1)
}
