import CPUBackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing
import UGRUCell

@Test func gradientsAgreeWithCentralDifferences() throws {
    try checkCell(UGRU(), on: ReferenceBackend())
}

@Test func cpuAgreesWithReference() throws {
    try checkCell(UGRU(), on: CPUBackend(), against: ReferenceBackend())
}

@Test func onlyItsCandidateWeightIsOrthogonal() {
    #expect(UGRU().parameters.filter { $0.constraint == .orthogonal }.map(\.name) == ["W_n"])
}
