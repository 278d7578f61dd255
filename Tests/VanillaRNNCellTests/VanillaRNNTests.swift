import CPUBackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing
import VanillaRNNCell

@Test func gradientsAgreeWithCentralDifferences() throws {
    try checkCell(VanillaRNN(), on: ReferenceBackend())
}

@Test func cpuAgreesWithReference() throws {
    try checkCell(VanillaRNN(), on: CPUBackend(), against: ReferenceBackend())
}
