import Foundation
import RecurrentCore
import RecurrentReproduction
import Synchronization
import Testing

/// The runner, with a script in the place of the program.
struct RunnerTests {
    /// Begins with what finds the folder of the run: `$folder`.
    private static func script(_ body: String, in folder: URL) throws -> String {
        let file = folder.appendingPathComponent("program").path
        let head = "#!/bin/sh\nfor word; do [ \"$last\" = --output ] && folder=$word; last=$word; done\nmkdir -p \"$folder\"\n"
        try Data((head + body).utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
        return file
    }

    private static func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("runner-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private static func runner(
        _ executable: String, _ folder: URL, jobs: Int = 1, showProgress: (@Sendable (String) -> Void)? = nil
    ) -> Runner {
        Runner(
            executable: executable, output: folder.path, subfolder: "runs", seeds: [1], jobs: jobs, machine: Machine(),
            report: { _ in }, showProgress: showProgress, shouldStop: { false })
    }

    private static let experiment = Experiment("a", ["--cell", "rnn", "--epochs", "3"])

    /// The second epoch is under way; what was measured in it is no epoch's end.
    @Test func tellsHowFarARunIs() throws {
        try Self.withFolder { folder in
            let script = try Self.script(
                """
                echo '{"epoch":1,"split":"valid","loss":2,"step":5}' > "$folder/metrics.jsonl"
                echo '{"epoch":2,"frobeniusNorm":1,"step":7}' >> "$folder/metrics.jsonl"
                until [ -e "$folder/seen" ]; do sleep 0.05; done
                """, in: folder)
            let seen = folder.path + "/runs/a/seed1/seen", lines = Mutex<[String]>([])
            let isDone = try Self.runner(script, folder) { line in
                let count = lines.withLock { $0.append(line); return $0.count }
                // As long as it is told something else, half a minute at most.
                if line.contains("epoch") || count > 30 { _ = FileManager.default.createFile(atPath: seen, contents: nil) }
            }.run([Self.experiment])
            #expect(isDone)
            #expect(lines.withLock { $0 }.contains("[0/1] a/1 epoch 1/3"), "\(lines.withLock { $0 })")
        }
    }

    @Test func aRunThatFailedEndsAllAndADivergedOneDoesNot() throws {
        try Self.withFolder { folder in
            let diverging = try Self.script("echo 'error: the loss became nan' >&2; exit 1\n", in: folder)
            let runner = Self.runner(diverging, folder)
            #expect(try runner.run([Self.experiment]))
            let record = try #require(try runner.records([Self.experiment])["a"]?.first)
            #expect(record.completion.message.contains("became nan") && record.isComplete)
        }
        try Self.withFolder { folder in
            let failing = try Self.script("echo 'error: no room left' >&2; exit 1\n", in: folder)
            let error = #expect(throws: RecurrentError.self) { try Self.runner(failing, folder, jobs: 2).run([Self.experiment]) }
            #expect(error.map { "\($0)" }?.contains("no room left") == true)
        }
    }

    /// Epochs that a run got later count once it has ended.
    @Test func aRecordWithFewerEpochsIsNotComplete() throws {
        try Self.withFolder { folder in
            let script = try Self.script(
                """
                for epoch in 1 2 3; do echo '{"epoch":'$epoch',"split":"valid","loss":2,"step":5}'; done > "$folder/metrics.jsonl"
                """, in: folder)
            let runner = Self.runner(script, folder), short = Self.experiment.limited(to: 2)
            #expect(try runner.run([short]))
            let record = try #require(try runner.records([Self.experiment])["a"]?.first)
            #expect(record.valid.map(\.epoch) == [1, 2] && !record.isComplete)
            #expect(try runner.records([short])["a"]!.first!.isComplete)
            #expect(try runner.run([Self.experiment]))
            #expect(try runner.records([Self.experiment])["a"]!.first!.valid.count == 3)

            // Begun anew and stopped: nothing of it is a result.
            let stopping = try Self.script("echo '{\"epoch\":1,\"split\":\"valid\",\"loss\":2}' > \"$folder/metrics.jsonl\"; exit 130\n", in: folder)
            let more = Experiment("a", ["--cell", "rnn", "--epochs", "9"])
            #expect(try !Self.runner(stopping, folder).run([more]))
            #expect(try runner.records([more])["a"]!.isEmpty)
        }
    }
}
