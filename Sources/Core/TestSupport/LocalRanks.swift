import Foundation
import RecurrentCore

/// Ranks that are threads of one process, for tests without MPI.
public enum LocalRanks {
    /// Runs `body` on each of `count` threads with a communicator of its own, and returns the results by rank.
    ///
    /// - Throws: the error of the lowest rank that failed. Others that wait for it then fail as well.
    public static func run<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (any Communicator) throws -> Result
    ) throws -> [Result] {
        let hub = Hub(count), done = DispatchGroup()
        for rank in 0..<count {
            done.enter()
            let thread = Thread {
                let result = Swift.Result { try body(Member(rank, hub)) }
                hub.finish(rank, result.mapError { $0 }.map { $0 as any Sendable })
                done.leave()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        done.wait()
        return try hub.results.map { try $0!.get() as! Result }
    }

    /// What the threads share.
    private final class Hub: @unchecked Sendable {
        let size: Int
        private let condition = NSCondition()
        private var waiting = 0, round = 0, hasFailed = false
        private(set) var results: [Result<any Sendable, any Error>?]
        /// What each rank lends the others during an exchange.
        var sent: [[[UnsafeRawBufferPointer]]]

        init(_ size: Int) {
            self.size = size
            results = .init(repeating: nil, count: size)
            sent = .init(repeating: [], count: size)
        }

        func finish(_ rank: Int, _ result: Result<any Sendable, any Error>) {
            condition.lock()
            results[rank] = result
            if case .failure = result { hasFailed = true }
            condition.broadcast()
            condition.unlock()
        }

        /// Waits until all ranks are here.
        func meet() throws {
            condition.lock()
            defer { condition.unlock() }
            let own = round
            waiting += 1
            if waiting == size {
                (waiting, round) = (0, round + 1)
                condition.broadcast()
            }
            while round == own, !hasFailed { condition.wait() }
            if round == own { throw RecurrentError.device("another rank has failed") }
        }

        func lend(_ rank: Int, _ places: [[UnsafeRawBufferPointer]]) {
            condition.lock()
            sent[rank] = places
            condition.unlock()
        }
    }

    /// A rank.
    private final class Member: Communicator, @unchecked Sendable {
        let rank: Int
        private let hub: Hub
        private(set) var bytesSent = 0

        init(_ rank: Int, _ hub: Hub) {
            self.rank = rank
            self.hub = hub
        }

        var name: String { "threads" }
        var size: Int { hub.size }
        var localRank: Int { rank }
        var localSize: Int { hub.size }

        func makeExchange(
            sent: [[UnsafeRawBufferPointer]], received: [[UnsafeMutableRawBufferPointer]]
        ) throws -> any Exchange { Transfer(self, sent, received) }

        func allGather(_ bytes: [UInt8]) throws -> [[UInt8]] {
            try bytes.withUnsafeBytes { bytes in
                hub.lend(rank, [[bytes]])
                try hub.meet()
                let all = hub.sent.map { Array($0[0][0]) }
                try hub.meet()
                return all
            }
        }

        func abort(status: Int32) -> Never { exit(status) }

        fileprivate func transfer(
            _ sent: [[UnsafeRawBufferPointer]], _ received: [[UnsafeMutableRawBufferPointer]]
        ) throws {
            hub.lend(rank, sent)
            for other in 0..<size where other != rank { bytesSent += sent[other].reduce(0) { $0 + $1.count } }
            try hub.meet()
            for other in 0..<size where other != rank {
                let bytes = hub.sent[other][rank].flatMap { Array($0) }
                precondition(
                    bytes.count == received[other].reduce(0) { $0 + $1.count },
                    "rank \(rank) expects other bytes than rank \(other) sends")
                var position = 0
                for place in received[other] {
                    place.copyBytes(from: bytes[position..<position + place.count])
                    position += place.count
                }
            }
            try hub.meet()
        }
    }

    private final class Transfer: Exchange {
        private let member: Member
        private let sent: [[UnsafeRawBufferPointer]]
        private let received: [[UnsafeMutableRawBufferPointer]]

        init(_ member: Member, _ sent: [[UnsafeRawBufferPointer]], _ received: [[UnsafeMutableRawBufferPointer]]) {
            self.member = member
            self.sent = sent
            self.received = received
        }
        func run() throws { try member.transfer(sent, received) }
    }
}
