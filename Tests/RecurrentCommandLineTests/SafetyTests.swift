import Foundation
import RecurrentCommandLine
import RecurrentCore
import Testing

/// Nothing on disk is lost by mistake.
struct SafetyTests {
    private static let small = [
        "--length", "8", "--train-size", "500", "--valid-size", "200", "--test-size", "200", "--epochs", "2",
    ]

    private func contents(_ folder: String) throws -> [String: Data] {
        try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: [:]) {
            $0[$1] = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + $1))
        }
    }

    @Test func aMistakeReplacesNoRun() throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run")
        #expect(try Tool(Self.small + ["--output", run, "--quiet"]).status == 0)
        let before = try contents(run)
        #expect(
            Set(before.keys) == ["config.json", "end.json", "metrics.jsonl", "model.safetensors", "state.safetensors"])
        for mistake in [
            ["--cell", "qrnn"], ["--batch-size", "0"], ["--test-size", "0"], ["--threads", "0"],
            ["--learning-rate", "inf"],
            ["--dataset", "kth-largest", "--k", "9"], ["--dataset", "ptb", "--data", folder.path],
        ] {
            let result = try Tool(Self.small + mistake + ["--output", run, "--overwrite"])
            #expect(result.status != 0 && result.errors.hasPrefix("error: "), "\(mistake)")
            #expect(try contents(run) == before, "\(mistake)")
        }
    }

    @Test(arguments: ["config.json", "metrics.jsonl", "model.safetensors", "state.safetensors", "vocabulary.txt"])
    func filesOfOthersAreNotReplaced(name: String) throws {
        let folder = try TemporaryFolder()
        try Data("mine".utf8).write(to: URL(fileURLWithPath: folder.file(name)))
        let result = try Tool(Self.small + ["--output", folder.path])
        #expect(result.status == 1 && result.errors.contains(name) && result.errors.contains("--overwrite"))
        #expect(try contents(folder.path) == [name: Data("mine".utf8)])
    }

    @Test func compareChecksEveryFolderBeforeItTrains() throws {
        let folder = try TemporaryFolder()
        #expect(try Tool(Self.small + ["--cell", "gru", "--output", folder.file("runs/gru"), "--quiet"]).status == 0)
        let result = try Tool(["compare", "--cells", "rnn,gru", "--output", folder.file("runs")] + Self.small)
        #expect(result.status == 1 && result.errors.contains("runs/gru") && result.output.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder.file("runs/rnn")))
    }

    /// A configuration may have been edited by hand.
    @Test(arguments: [
        ("batchSize", "0"), ("batchSize", "9223372036854775807"), ("evaluationBatchSize", "-1"), ("hiddenSize", "0"),
        ("embeddingSize", "9223372036854775807"), ("layers", "100000000"), ("threads", "0"), ("slope", "7"),
        ("learningRate", "0"), ("resetGate", "\"never\""), ("cell", "3"), ("version", "99"),
    ])
    func anEditedConfigurationIsChecked(key: String, value: String) throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run"), path = run + "/config.json"
        #expect(try Tool(Self.small + ["--output", run, "--quiet"]).status == 0)
        var object =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as! [String: Any]
        object[key] = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
        try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: path))
        let result = try Tool(["evaluate", run])
        #expect(result.status == 1)
        #expect(
            result.errors.hasPrefix("error: \(path): ") && !result.errors.dropLast().contains("\n"), "\(result.errors)")
    }

    /// A full disk, simulated by a limit on the size of files.
    @Test(arguments: [(0, "config.json"), (8, "model.safetensors"), (80, "state.safetensors")])
    func aDiskWithoutRoom(blocks: Int, refused: String) throws {
        let folder = try TemporaryFolder()
        let whole = folder.file("whole"), run = folder.file("run")
        #expect(try Tool(Self.small.setting("--epochs", "4") + ["--output", whole, "--quiet"]).status == 0)
        #expect(try Tool(Self.small + ["--output", run, "--quiet"]).status == 0)
        let before = try contents(run)
        func refuses(_ arguments: [String]) throws {
            let result = try Tool(shell: "ulimit -f \(blocks); exec \"$@\"", arguments)
            #expect(result.status == 1)
            #expect(
                result.errors == "error: \(run)/\(refused): can't be written: file too large; "
                    + "raise the limit on the size of files (ulimit -f), or choose another folder\n")
        }
        if blocks == 0 {
            try refuses(Self.small + ["--output", run, "--overwrite"])
            #expect(try contents(run) == before)
        }
        try refuses(["train", "--resume", run, "--epochs", "4", "--quiet"])
        let after = try contents(run)
        // A run that has been resumed hasn't ended.
        #expect(Set(after.keys).union(["end.json"]) == Set(before.keys))
        for name in ["state.safetensors", "model.safetensors"] { #expect(after[name] == before[name]) }
        #expect(after["metrics.jsonl"]?.last == UInt8(ascii: "\n"))
        if blocks == 0 { #expect(after == before) }
        #expect(try Tool(["train", "--resume", run, "--epochs", "4", "--quiet"]).status == 0)
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: run + "/model.safetensors"))
                == Data(contentsOf: URL(fileURLWithPath: whole + "/model.safetensors")))
    }

    /// A run that was killed before its vocabulary was written has it once it is resumed.
    @Test func aResumedRunHasItsWords() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        for split in ["train", "valid", "test"] {
            try Data(String(repeating: "a b c\n", count: 40).utf8).write(
                to: URL(fileURLWithPath: folder.file("\(split).txt")))
        }
        let options = [
            "--dataset", "ptb", "--data", folder.path, "--hidden-size", "5", "--batch-size", "4", "--epochs", "1",
            "--quiet",
        ]
        #expect(try Tool(options + ["--output", run]).status == 0)
        for name in try FileManager.default.contentsOfDirectory(atPath: run) where name != "config.json" {
            try FileManager.default.removeItem(atPath: run + "/" + name)
        }
        #expect(try Tool(["train", "--resume", run, "--quiet"]).status == 0)
        #expect(try String(contentsOfFile: run + "/vocabulary.txt", encoding: .utf8) == "a\nb\nc\n<eos>\n")
    }

    /// A run continues if its progress can't be printed, and says so at the end.
    @Test func aFullDiskUnderTheOutput() throws {
        let folder = try TemporaryFolder()
        let (process, _, errors) = Tool.process(Self.small + ["--output", folder.file("run")])
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
        try process.run()
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 1 && process.terminationReason == .exit)
        #expect(complaint == "error: standard output: can't be written: no space left on device\n")
        #expect(try metrics(folder.file("run")).count == 5)
    }
}
