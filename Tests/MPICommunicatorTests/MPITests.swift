import MPICommunicator
import Testing

struct MPITests {
    @Test func aProcessByItselfIsNotInAGroup() { #expect(!MPICommunicator.isLaunched) }
}
