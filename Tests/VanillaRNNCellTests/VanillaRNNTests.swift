import CPUBackend
import VanillaRNNCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

@Test func gradientsAgreeWithCentralDifferences() throws {
    try checkCell(VanillaRNN(), on: ReferenceBackend())
}

@Test func cpuAgreesWithReference() throws {
    try checkCell(VanillaRNN(), on: CPUBackend(), against: ReferenceBackend())
}
