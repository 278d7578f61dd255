import BuiltInPlugins
import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns
import Synchronization
import Testing

/// Several runners in one folder, and launchers; scripts take the place of the program and of the launcher.
struct SharedFolderTests {
    private static func runner(
        _ executable: String, _ folder: URL, jobs: Int = 1, launcher: String? = nil,
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> Runner {
        var runner = Runner(
            executable: executable, output: folder.path, subfolder: "runs", seeds: [1, 2], jobs: jobs,
            machine: Machine(), registry: .builtIn, launcher: try launcher.map { try Launcher($0) }, report: report,
            shouldStop: { false })
        runner.patience.look = 0.05
        runner.patience.retry = 0.01
        return runner
    }
    private static let experiments = ["a", "b", "c", "d"].map { RunnerTests.experiment(epochs: 2, name: $0) }
    private static let one = [experiments[0]]
    /// A line in the file `log` for each time that the program is started.
    private static let logging = "echo \"$folder\" >> \"$(dirname \"$0\")/log\"\n"
    private static func log(_ folder: URL) throws -> [String] {
        try String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8).split(separator: "\n").map(
            String.init)
    }

    /// Calls a function in as many threads at the same time, and waits for all.
    private static func atOnce(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let group = DispatchGroup()
        for index in 0..<count {
            group.enter()
            Thread.detachNewThread {
                body(index)
                group.leave()
            }
        }
        group.wait()
    }

    @Test func eachRunIsTrainedOnce() throws {
        try RunnerTests.withFolder { folder in
            let script = try RunnerTests.script(Self.logging + "sleep 0.05\n" + RunnerTests.training, in: folder)
            let told = Mutex<[String]>([])
            let complete = Mutex(0)
            // Threads of their own: on a busy pool, one runner could have trained everything before the next begins.
            Self.atOnce(3) { index in
                do {
                    let runner = try Self.runner(script, folder, jobs: index + 1) { line in
                        told.withLock { $0.append(line) }
                    }
                    #expect(try runner.run(Self.experiments))
                    // Every one of them has everything for its report.
                    let records = try runner.records(Self.experiments)
                    #expect(records.values.joined().count == 8)
                    complete.withLock { $0 += 1 }
                } catch { #expect(Bool(false), "\(error)") }
            }
            #expect(complete.withLock { $0 } == 3)
            let log = try Self.log(folder)
            #expect(log.count == 8 && Set(log).count == 8, "\(log)")
            #expect(told.withLock { $0 }.contains { $0.hasSuffix(", trained by another process") })
            let files = FileManager.default.enumerator(atPath: folder.path + "/runs")!.compactMap { $0 as? String }
            #expect(!files.contains { $0.contains("taken") || $0.contains("requested") }, "\(files)")
        }
    }

    @Test func aLiveClaimIsWaitedFor() throws {
        try RunnerTests.withFolder { folder in
            let script = try RunnerTests.script(Self.logging + RunnerTests.training, in: folder)
            let held = folder.path + "/runs/a/seed1", claim = Mutex<RunClaim?>(nil), told = Mutex<[String]>([])
            guard case .taken(let own) = try RunClaim.take(held, limit: 120) else { return #expect(Bool(false)) }
            claim.withLock { $0 = own }
            let runner = try Self.runner(script, folder) { line in
                told.withLock { $0.append(line) }
                // Its holder gives it up once all others are finished.
                if line.hasPrefix("waiting for ") { claim.withLock { $0?.release() } }
            }
            #expect(try runner.run(Self.experiments))
            #expect(try Self.log(folder).last == held)
            let lines = told.withLock { $0 }
            #expect(lines.contains { $0.hasPrefix("waiting for 1 run of other processes: a seed 1 (") }, "\(lines)")
        }
    }

    /// Another process has begun the next round, and trains a run for more epochs.
    @Test func aRoundCountsRunsThatHaveItsEpochs() throws {
        try RunnerTests.withFolder { folder in
            let runner = try Self.runner(RunnerTests.script(RunnerTests.training, in: folder), folder)
            #expect(try runner.run(Self.one))
            let run = folder.path + "/runs/a/seed1"
            try FileManager.default.removeItem(atPath: run + "/reproduction.json")
            #expect(try runner.records(Self.one, isRound: true)["a"]?.count == 1)
            guard case .taken(let claim) = try RunClaim.take(run, limit: 120) else { return #expect(Bool(false)) }
            #expect(try runner.records(Self.one)["a"]?.count == 1)
            let records = try #require(try runner.records(Self.one, isRound: true)["a"])
            #expect(records.count == 2 && records.allSatisfy { $0.valid.count == 2 })
            #expect(try runner.run(Self.one, isRound: true))
            let more = [RunnerTests.experiment(epochs: 3)]
            #expect(throws: RecurrentError.self) { try runner.records(more, isRound: true) }
            claim.release()
        }
    }

    @Test func aRunThatLostItsHostIsResumed() throws {
        try RunnerTests.withFolder { folder in
            let script = try RunnerTests.script(
                """
                echo "$*" >> "$(dirname "$0")/log"
                if [ ! -e "$folder/state.safetensors" ]; then : > "$folder/state.safetensors"; kill -9 $$; fi
                \(RunnerTests.training)
                """, in: folder)
            #expect(try Self.runner(script, folder).run(Self.one))
            let log = try Self.log(folder)
            #expect(log.count == 4 && log.count { $0.contains("--resume") } == 2, "\(log)")
        }
    }

    @Test func aRunThatIsAlwaysCutOffFails() throws {
        try RunnerTests.withFolder { folder in
            let script = try RunnerTests.script(Self.logging + "kill -9 $$\n", in: folder)
            let runner = try Self.runner(script, folder)
            #expect(try runner.run(Self.one, outlivesFailures: true))
            #expect(try Self.log(folder).count == 6)
            let reason = try #require(try runner.failures(Self.one)["a"]?.first)
            #expect(reason.contains("signal 9, 3 times"), "\(reason)")
            // Another process that has been there all the time doesn't try them again.
            #expect(try runner.run(Self.one, outlivesFailures: true))
            #expect(try Self.log(folder).count == 6)
            #expect(try Self.runner(script, folder).run(Self.one, outlivesFailures: true))
            #expect(try Self.log(folder).count == 12)
        }
    }

    /// What a run says itself is no failure of the launcher, which may succeed elsewhere.
    @Test(arguments: [
        ("echo 'error: no such corpus' >&2; exit 2", 2, "no such corpus"),
        ("echo 'srun: error: Node failure on n1' >&2; exit 1", 6, "status 1: srun: error: Node failure on n1, 3 times"),
        ("exit 0", 6, "its launcher, which must wait for it, ended before it, 3 times"),
    ])
    func aLaunchersFailureIsTriedAgain(launcher: String, tries: Int, reason: String) throws {
        try RunnerTests.withFolder { folder in
            let log = folder.path + "/log"
            let runner = try Self.runner("/bin/true", folder, launcher: "sh -c \"echo x >> \(log); \(launcher)\"")
            #expect(try runner.run(Self.one, outlivesFailures: true))
            #expect(try Self.log(folder).count == tries)
            let found = try #require(try runner.failures(Self.one)["a"]?.first)
            #expect(found.contains(reason), "\(found)")
        }
    }

    /// Another host has other processors, and none of this one's temporary files.
    @Test func aLauncherStartsTheRun() throws {
        try RunnerTests.withFolder { folder in
            let script = try RunnerTests.script("cp \"$config\" \"$folder/seen\"\n" + RunnerTests.training, in: folder)
            let log = folder.path + "/log"
            let runner = try Self.runner(
                script, folder, jobs: 2, launcher: "sh -c 'echo \"$@\" >> \(log); exec \"$@\"' \"a launcher\"")
            #expect(try runner.run(Self.one))
            let lines = try Self.log(folder)
            let run = folder.path + "/runs/a/seed"
            #expect(
                Set(lines)
                    == Set(
                        (1...2).map {
                            "\(script) train --config \(run)\($0)/requested.json --output \(run)\($0) --overwrite --quiet"
                        }),
                "\(lines)")
            #expect(try RunConfiguration(file: run + "1/seen").backend["threads"] ?? .null == .null)
            let record = try #require(try runner.records(Self.one)["a"]?.first)
            #expect(record.completion.machine.hasPrefix("by sh -c ") && !record.completion.command.contains("sh"))
            // The number of threads, which differs without a launcher, is no other option.
            #expect(try Self.runner(script, folder).run(Self.one))
            #expect(try Self.log(folder).count == 2)
        }
    }
}
