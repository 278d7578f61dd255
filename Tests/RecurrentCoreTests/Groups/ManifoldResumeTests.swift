import ManifoldUpdates
import RecurrentCore
import RecurrentTestSupport
import Testing

/// Runs with any manifold update have the same bits at any number of ranks, and after they were interrupted.
struct ManifoldResumeTests {
    typealias Runs = ShardedRunTests

    /// A kind of run with an update, some of which have a base that has moved when the run is interrupted.
    static let cases: [(kind: Runs.Case, update: any ManifoldUpdate)] = [
        (.urnn, DynamicTrivializationUpdate(period: 3)), (.urnn, RetractionUpdate(.polar)),
        (.urnn, RetractionUpdate(.qr)), (.urnn, RetractionUpdate(.cayley)), (.urnn, HouseholderUpdate()),
        (.ugru, MarginUpdate(period: 3)), (.urnn, ScaledCayleyUpdate(negativeOnes: 3)),
        (.unitary, ExponentialUpdate()), (.unitary, DynamicTrivializationUpdate(period: 3)),
        (.unitary, RetractionUpdate(.qr)), (.unitary, MarginUpdate(period: 3)), (.unitary, ArjovskyUpdate()),
        (.unitary, HouseholderUpdate()),
    ]

    @Test(arguments: cases.indices) func theBitsAreTheSame(index: Int) throws {
        let (kind, update) = Self.cases[index]
        let groups = [ParameterGroup(where: { _ in true }, manifold: update)]
        let folder = try TemporaryDirectory()
        let whole = try Runs.outcome(kind, ranks: 1, groups: groups)
        #expect(whole.losses.allSatisfy { $0.totalLoss.isFinite })
        #expect(try Runs.outcome(kind, ranks: 2, groups: groups) == whole)
        _ = try Runs.interruptedRun(kind, 2, groups, in: folder, resuming: false, stopAfter: 5)
        for weights in try Runs.interruptedRun(kind, 1, groups, in: folder, resuming: true, stopAfter: .max) {
            #expect(weights == whole.weights)
        }
        #expect(try Runs.tensors(folder.path + "/state") == whole.state)
    }
}
