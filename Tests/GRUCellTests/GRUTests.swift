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

/// The gradient of the input's weight is a product with one row.
@Test func cpuAgreesWithReferenceForOneInput() throws {
    try checkCell(GRU(), on: CPUBackend(), against: ReferenceBackend(), inputWidth: 1, steps: 10)
}
