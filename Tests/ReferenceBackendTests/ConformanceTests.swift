import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

@Test func theReferenceConforms() throws {
    try checkBackend(ReferenceBackend(), against: ReferenceBackend())
}

/// The check itself finds every mistake, in the part where it was made.
@Test(arguments: Fault.allCases)
func mistakesAreFound(fault: Fault) throws {
    #expect(throws: ConformanceFailure.self) {
        try checkBackend(FaultyBackend(fault), against: ReferenceBackend(), parts: [fault.part])
    }
}

@Test(arguments: BackendPart.allCases)
func aWrapperWithoutMistakesPasses(part: BackendPart) throws {
    try checkBackend(FaultyBackend(nil), against: ReferenceBackend(), parts: [part])
}
