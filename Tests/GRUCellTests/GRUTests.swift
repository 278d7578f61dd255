import CPUBackend
import GRUCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

@Test(arguments: ResetGate.allCases)
func gradientsAgreeWithCentralDifferences(resetGate: ResetGate) throws {
    try checkCell(GRU(resetGate: resetGate), on: ReferenceBackend())
}

@Test(arguments: ResetGate.allCases)
func cpuAgreesWithReference(resetGate: ResetGate) throws {
    try checkCell(GRU(resetGate: resetGate), on: CPUBackend(), against: ReferenceBackend())
}
