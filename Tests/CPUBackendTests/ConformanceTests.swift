import CPUBackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

@Test(arguments: [1, 2, 3])
func everyFunctionAgreesWithReference(threads: Int) throws {
    try checkBackend(CPUBackend(threads: threads), against: ReferenceBackend(), tolerance: 1e-5)
}

@Test(arguments: [0, -1, 5000])
func threadsOutOfRange(threads: Int) {
    #expect(throws: RecurrentError.self) { try CPUBackend(threads: threads) }
}
