import Foundation
import RecurrentReproduction
import Synchronization
import Testing

/// Who has a run of a shared folder.
struct RunClaimTests {
    private static func withRun(_ body: (String) throws -> Void) throws {
        try RunnerTests.withFolder { try body($0.path + "/run") }
    }
    private static func take(_ run: String) throws -> RunClaim? {
        if case .taken(let claim) = try RunClaim.take(run, limit: 120) { claim } else { nil }
    }
    private static func files(_ run: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: run)
    }
    /// Changes what a claim says about its holder, and makes it older.
    private static func edit(_ run: String, _ values: [String: Any], age: TimeInterval = 0) throws {
        let file = run + "/taken.json"
        var holder =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file))) as! [String: Any]
        holder.merge(values) { $1 }
        try JSONSerialization.data(withJSONObject: holder).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.modificationDate: Date() - age], ofItemAtPath: file)
    }

    @Test func aLiveClaimIsRespected() throws {
        try Self.withRun { run in
            let claim = try #require(try Self.take(run))
            guard case .held(let holder) = try RunClaim.take(run, limit: 120) else { return #expect(Bool(false)) }
            #expect(holder.hasSuffix(", process \(getpid())"), "\(holder)")
            #expect(claim.renew() && RunClaim.isTaken(run))
            claim.release()
            #expect(try Self.files(run).isEmpty)
            #expect(try Self.take(run) != nil)
        }
    }

    /// A process of this host can be seen to have ended, of another one only by its silence.
    @Test func theClaimOfADeadProcessEnds() throws {
        try Self.withRun { run in
            for dead in [["process": 99_999_999], ["started": "1"]] as [[String: Any]] {
                _ = try #require(try Self.take(run))
                try Self.edit(run, dead)
                try #require(try Self.take(run)).release()

                _ = try #require(try Self.take(run))
                try Self.edit(run, dead.merging(["processes": "elsewhere"]) { $1 })
                #expect(try Self.take(run) == nil)
                try Self.edit(run, [:], age: 100)
                #expect(try Self.take(run) == nil)
                try Self.edit(run, [:], age: 130)
                try #require(try Self.take(run)).release()
                #expect(try Self.files(run).isEmpty)
            }
        }
    }

    /// Its process was killed before it could write its name.
    @Test func anUnnamedClaimEndsByItsAge() throws {
        try Self.withRun { run in
            try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: run + "/taken.json"))
            #expect(try Self.take(run) == nil)
            try FileManager.default.setAttributes(
                [.modificationDate: Date() - 130], ofItemAtPath: run + "/taken.json")
            try #require(try Self.take(run)).release()
        }
    }

    /// A process that was suspended for too long finds that its run is another's, and leaves it alone.
    @Test func whoWasTakenOverKnows() throws {
        try Self.withRun { run in
            let old = try #require(try Self.take(run))
            try FileManager.default.setAttributes(
                [.modificationDate: Date() - 130], ofItemAtPath: run + "/taken.json")
            let new = try #require(try Self.take(run))
            #expect(!old.renew() && new.renew())
            old.release()
            #expect(new.renew())
            new.release()
            #expect(!new.renew())
        }
    }

    /// Whoever has seen the old claim, but is slow to remove it, must not remove the new one.
    @Test func onlyOneTakesAStaleClaimOver() throws {
        try Self.withRun { run in
            for _ in 0..<150 {
                _ = try #require(try Self.take(run))
                try Self.edit(run, ["process": 99_999_999])
                let taken = Mutex<[RunClaim]>([]), group = DispatchGroup()
                // More threads than processors, so that they are interrupted at any place.
                for _ in 0..<12 {
                    group.enter()
                    Thread.detachNewThread {
                        if let claim = try? Self.take(run) { taken.withLock { $0.append(claim) } }
                        group.leave()
                    }
                }
                group.wait()
                let claims = taken.withLock { $0 }
                #expect(claims.count == 1)
                for claim in claims { claim.release() }
                #expect(try Self.files(run).isEmpty)
            }
        }
    }
}
