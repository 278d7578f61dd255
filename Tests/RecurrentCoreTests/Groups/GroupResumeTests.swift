import Foundation
import RecurrentCore
import RecurrentOptimizers
import RecurrentTestSupport
import Testing

/// Runs with groups have the same bits at any number of ranks, and after they were interrupted.
struct GroupResumeTests {
    typealias Runs = ShardedRunTests

    private static let groups: [Runs.Case: [ParameterGroup]] = [
        .text: [
            ParameterGroup("rnn.*_l0*", isFrozen: true), ParameterGroup("decoder.*", optimizer: SGD(momentum: 0.5)),
            ParameterGroup("rnn.weight_hh_l1.W_n", learningRate: 0.02),
        ],
        .ugru: [
            ParameterGroup("encoder.*", "rnn.weight_hh_l1.W_n", isFrozen: true),
            ParameterGroup("rnn.weight*", learningRate: 0.02, weightDecay: 0.1),
            ParameterGroup("*.bias", optimizer: RMSprop()),
        ],
        .urnn: [ParameterGroup("rnn.weight_hh_l0*", isFrozen: true), ParameterGroup("decoder.*", optimizer: SGD())],
    ]

    @Test(arguments: [Runs.Case.text, .ugru, .urnn]) func anyNumberOfRanksGivesTheSameBits(kind: Runs.Case) throws {
        let groups = Self.groups[kind]!
        let one = try Runs.outcome(kind, ranks: 1, groups: groups)
        #expect(one.losses.allSatisfy { $0.totalLoss.isFinite } && !one.state.isEmpty)
        #expect(try one.weights != Runs.outcome(kind, ranks: 1).weights)
        for ranks in [2, 8] { #expect(try Runs.outcome(kind, ranks: ranks, groups: groups) == one, "\(ranks) ranks") }
    }

    @Test(arguments: [Runs.Case.text, .ugru, .urnn], [(1, 1), (2, 4)])
    func aResumedRunHasTheSameBits(kind: Runs.Case, ranks: (before: Int, after: Int)) throws {
        let groups = Self.groups[kind]!, folder = try TemporaryDirectory()
        let whole = try Runs.outcome(kind, ranks: 1, groups: groups)
        _ = try Runs.interruptedRun(kind, ranks.before, groups, in: folder, resuming: false, stopAfter: 4)
        for weights in try Runs.interruptedRun(kind, ranks.after, groups, in: folder, resuming: true, stopAfter: .max) {
            #expect(weights == whole.weights)
        }
        #expect(try Runs.tensors(folder.path + "/state") == whole.state)
    }

    /// Groups that freeze nothing don't change how a state is laid out, so they may come and go, and states that were saved
    /// before there were groups are read.
    @Test func theLayoutIsThatOfARunWithoutGroups() throws {
        func names(_ groups: [ParameterGroup]) throws -> [String] {
            let folder = try TemporaryDirectory()
            _ = try Runs.interruptedRun(.urnn, 1, groups, in: folder, resuming: false, stopAfter: 4)
            return try SafeTensors(path: folder.path + "/state").tensors.map { "\($0.name) \($0.shape)" }.sorted()
        }
        let plain = try names([])
        let expected = [
            "manifold.rnn.weight_hh_l0.W", "manifold.rnn.weight_hh_l1.W", "model.decoder.bias", "model.decoder.weight",
            "model.encoder.weight", "model.rnn.bias_hh_l0", "model.rnn.bias_hh_l1", "model.rnn.bias_ih_l0",
            "model.rnn.bias_ih_l1", "model.rnn.weight_hh_l0",
            "model.rnn.weight_hh_l1", "model.rnn.weight_ih_l0", "model.rnn.weight_ih_l1", "optimizer.free0.state0",
            "optimizer.free0.state1", "optimizer.free1.state0", "optimizer.free1.state1", "optimizer.free2.state0",
            "optimizer.free2.state1", "optimizer.rnn.weight_hh_l0.W.state0", "optimizer.rnn.weight_hh_l0.W.state1",
            "optimizer.rnn.weight_hh_l1.W.state0", "optimizer.rnn.weight_hh_l1.W.state1",
        ]
        #expect(plain.map { String($0.prefix { $0 != " " }) } == expected)
        #expect(
            try names([ParameterGroup("encoder.*", optimizer: SGD()), ParameterGroup("rnn.*", learningRate: 0.1)])
                == plain)
        // A frozen orthogonal weight has no B.
        let frozen = try names([ParameterGroup("encoder.*", "rnn.weight_hh_l0*", isFrozen: true)])
        #expect(frozen == plain.filter { !$0.contains("rnn.weight_hh_l0.W") })
    }

    /// A state without B of a weight can't be trained on as if it had one.
    @Test func whatWasFrozenStaysFrozen() throws {
        let folder = try TemporaryDirectory(), frozen = [ParameterGroup("encoder.*", "rnn.*_l0*", isFrozen: true)]
        _ = try Runs.interruptedRun(.urnn, 1, frozen, in: folder, resuming: false, stopAfter: 4)
        for (groups, says) in [
            ([], "belongs to a run whose frozen parameters are 'encoder.weight "),
            ([ParameterGroup("encoder.*", isFrozen: true)], "not 'encoder.weight'"),
        ] as [([ParameterGroup], String)] {
            let error = #expect(throws: RecurrentError.self) {
                try Runs.interruptedRun(.urnn, 1, groups, in: folder, resuming: true, stopAfter: 5)
            }
            #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
        }
        let plain = try TemporaryDirectory()
        _ = try Runs.interruptedRun(.urnn, 1, [], in: plain, resuming: false, stopAfter: 4)
        #expect(throws: RecurrentError.self) {
            try Runs.interruptedRun(.urnn, 1, frozen, in: plain, resuming: true, stopAfter: 5)
        }
        #expect(throws: Never.self) {
            try Runs.interruptedRun(
                .urnn, 1, [ParameterGroup("rnn.*", learningRate: 1)], in: plain, resuming: true, stopAfter: 5)
        }
    }

    /// Frozen parameters aren't sent.
    @Test func ranksSendLess() throws {
        let counts = try LocalRanks.run(2) { communicator in
            try [[], [ParameterGroup("encoder.*", isFrozen: true)]].map { groups in
                Communication(
                    try Runs.trainer(.urnn, shards: 8, communicator, observers: [], groups: groups).updater
                ).bytes
            }
        }[0]
        #expect(counts[1] < counts[0])
    }
}
