import CPUBackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// Compares every function with Reference, for each instruction set that this
/// processor supports.
@Test(arguments: [1, 2, 3], InstructionSet.allCases.filter(\.isSupported))
func everyFunctionAgreesWithReference(threads: Int, instructions: InstructionSet) throws {
    let backend = try CPUBackend(threads: threads, instructions: instructions)
    #expect(backend.threads == threads && backend.instructions == instructions)
    try checkBackend(backend, against: ReferenceBackend(), tolerance: 1e-5)
}

@Test func theBestInstructionSetIsUsed() throws {
    let best = InstructionSet.allCases.last { $0.isSupported }
    #expect(try CPUBackend(threads: 1).instructions == best)
    #expect(InstructionSet.baseline.isSupported)
    #expect(!CPUBackend.coreName.isEmpty)
}

@Test(arguments: [0, -1, 5000])
func threadsOutOfRange(threads: Int) {
    #expect(throws: RecurrentError.self) { try CPUBackend(threads: threads) }
}
