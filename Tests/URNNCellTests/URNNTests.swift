import CPUBackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing
import URNNCell

@Test func gradientsAgreeWithCentralDifferences() throws {
    try checkCell(URNN(), on: ReferenceBackend())
}

@Test func cpuAgreesWithReference() throws {
    try checkCell(URNN(), on: CPUBackend(), against: ReferenceBackend())
}

@Test func itsRecurrentWeightIsOrthogonal() {
    #expect(URNN().parameters.filter { $0.constraint == .orthogonal }.map(\.name) == ["W"])
    #expect(URNN(activation: AbsoluteValue()).slopeBounds == 1...1)
}
