import BuiltInPlugins
import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns
import Synchronization
import Testing

/// The runner, with a script in place of the program.
struct RunnerTests {
    /// Writes a script that begins by finding the run's folder and epochs, `$folder` and `$epochs`,
    /// and writes the run's configuration into its folder, as the program does.
    static func script(_ body: String, in folder: URL) throws -> String {
        let file = folder.appendingPathComponent("program").path
        let head = """
            #!/bin/sh
            for word; do
                case "$last" in --output|--resume) folder=$word;; --config) config=$word;; esac
                last=$word
            done
            epochs=$(sed -n 's/.*"epochs" : \\([0-9]*\\).*/\\1/p' "$config")
            mkdir -p "$folder"; cp "$config" "$folder/config.json"
            end() { echo '{"epochs":'$2',"reason":"'$1'","seconds":1,"step":7}' > "$folder/end.json"; }

            """
        try Data((head + body).utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
        return file
    }

    static func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("runner-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private static func runner(
        _ executable: String, _ folder: URL, jobs: Int = 1, addsEpochs: Bool = true,
        showProgress: (@Sendable (String) -> Void)? = nil
    ) -> Runner {
        Runner(
            executable: executable, output: folder.path, subfolder: "runs", seeds: [1], jobs: jobs, machine: Machine(),
            registry: .builtIn,
            addsEpochs: addsEpochs, report: { _ in }, showProgress: showProgress, shouldStop: { false })
    }

    private static let experiment = experiment(epochs: 3)

    /// During the second epoch, values measured within it don't count as the epoch's end.
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
                let count = lines.withLock {
                    $0.append(line)
                    return $0.count
                }
                // The script waits until the progress mentions an epoch, for at most half a minute.
                if line.contains("epoch") || count > 30 {
                    _ = FileManager.default.createFile(atPath: seen, contents: nil)
                }
            }.run([Self.experiment])
            #expect(isDone)
            #expect(lines.withLock { $0 }.contains("[0/1] a/1 epoch 1/3"), "\(lines.withLock { $0 })")
        }
    }

    @Test func aRunThatFailedEndsAllAndADivergedOneDoesNot() throws {
        try Self.withFolder { folder in
            let diverging = try Self.script("end diverged 0; exit 1\n", in: folder)
            let runner = Self.runner(diverging, folder)
            #expect(try runner.run([Self.experiment]))
            let record = try #require(try runner.records([Self.experiment])["a"]?.first)
            #expect(record.completion.end?.step == 7 && record.hasDiverged && record.isComplete)
        }
        try Self.withFolder { folder in
            let failing = try Self.script("echo 'error: no room left' >&2; exit 1\n", in: folder)
            let error = #expect(throws: RecurrentError.self) {
                try Self.runner(failing, folder, jobs: 2).run([Self.experiment])
            }
            #expect(error.map { "\($0)" }?.contains("no room left") == true)
        }
    }

    static let training = """
        for epoch in $(seq 1 $epochs); do echo '{"epoch":'$epoch',"split":"valid","loss":2,"step":5}'; done > "$folder/metrics.jsonl"; end epochs $epochs
        """
    static func experiment(epochs: Int, schedule: PluginChoice = "constant", name: String = "a") -> Experiment {
        var configuration = RunConfiguration(cell: "rnn", schedule: schedule)
        configuration.training.epochs = epochs
        return Experiment(name, configuration)
    }

    @Test func aRunWithFewerEpochsGoesOn() throws {
        try Self.withFolder { folder in
            let runner = Self.runner(try Self.script(Self.training, in: folder), folder)
            func record(_ epochs: Int) throws -> RunRecord? {
                try runner.records([Self.experiment(epochs: epochs)])["a"]!.first
            }
            #expect(try runner.run([Self.experiment(epochs: 2)]))
            #expect(try record(2)?.isComplete == true && record(3)?.isComplete == false)
            #expect(try runner.run([Self.experiment(epochs: 3)]))
            // A run with more epochs isn't truncated.
            #expect(try record(3)?.valid.count == 3 && record(3)?.isComplete == true && record(1)?.isComplete == true)

            // Once resumed and stopped, its files are no longer those of three epochs, and not a result yet.
            let stopping = try Self.script(Self.training + "\nexit 130\n", in: folder)
            #expect(try !Self.runner(stopping, folder).run([Self.experiment(epochs: 9)]))
            #expect(try record(9) == nil)
            // It already had nine epochs; they are recorded, however many are requested now.
            try "".write(toFile: folder.path + "/runs/a/seed1/state.safetensors", atomically: true, encoding: .utf8)
            #expect(
                try Self.runner(Self.script("end epochs 9\n", in: folder), folder).run([Self.experiment(epochs: 4)]))
            #expect(try record(4)?.completion.command.contains("9") == true && record(10)?.isComplete == false)
        }
    }

    /// As in searches, where each setting is a separate run.
    @Test func otherEpochsAreAnotherRunWhereNoneAreAdded() throws {
        try Self.withFolder { folder in
            let runner = Self.runner(try Self.script(Self.training, in: folder), folder, addsEpochs: false)
            #expect(try runner.run([Self.experiment(epochs: 2)]))
            #expect(throws: RecurrentError.self) { try runner.run([Self.experiment(epochs: 3)]) }
            #expect(throws: RecurrentError.self) { try runner.run([Self.experiment(epochs: 200)]) }
        }
        try Self.withFolder { folder in
            func falling(_ epochs: Int) -> Experiment { Self.experiment(epochs: epochs, schedule: "cosine") }
            let runner = Self.runner(try Self.script(Self.training, in: folder), folder)
            #expect(try runner.run([falling(2)]))
            #expect(throws: RecurrentError.self) { try runner.run([falling(3)]) }
        }
    }

    /// A finished run without its metrics is damaged; it hasn't diverged, and hasn't had no epochs.
    @Test func aFinishedRunWithoutMetricsIsDamaged() throws {
        try Self.withFolder { folder in
            let runner = Self.runner(try Self.script(Self.training, in: folder), folder)
            #expect(try runner.run([Self.experiment]))
            try "".write(toFile: folder.path + "/runs/a/seed1/metrics.jsonl", atomically: true, encoding: .utf8)
            for attempt in [{ _ = try runner.records([Self.experiment]) }, { _ = try runner.run([Self.experiment]) }] {
                let error = #expect(throws: RecurrentError.self) { try attempt() }
                #expect("\(error!)".contains("metrics.jsonl: lacks epochs of the run, which had 3"), "\(error!)")
            }
        }
    }

    /// A line that a killed run didn't complete is ignored; the lines before it still count.
    @Test func aTornLineIsLeftOut() throws {
        try Self.withFolder { folder in
            let script = try Self.script(
                Self.training + "\nprintf '{\"epoch\":4,\"spl' >> \"$folder/metrics.jsonl\"\n", in: folder)
            let runner = Self.runner(script, folder)
            #expect(try runner.run([Self.experiment]))
            #expect(try runner.records([Self.experiment])["a"]!.first!.valid.count == 3)
        }
    }
}
