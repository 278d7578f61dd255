import Foundation
import Testing

/// Standard streams that are closed, full, or read by nobody.
struct StreamTests {
    private static let small = [
        "--length", "5", "--train-size", "200", "--valid-size", "100", "--test-size", "100", "--hidden-size", "5",
        "--stop-loss", "1e-9",
    ]

    /// The exit status of the program whose output is piped into a program that ends at once.
    private static func statusWithoutReader(_ arguments: [String], ignoring: Bool = false) throws -> (
        status: String, errors: String
    ) {
        let ignore = ignoring ? "trap '' PIPE;" : ""
        let tool = try Tool(
            shell: "\(ignore) { { sleep 0.2; \"$@\" 3>&-; echo $? >&3; } | : ; } 3>&1", arguments)
        return (tool.output.trimmingCharacters(in: .newlines), tool.errors)
    }

    @Test(arguments: ["2>/dev/full", "2>&-", ">/dev/full 2>&1", "<&- >&- 2>&-"])
    func aMessageThatCannotBeWrittenEndsNothing(redirection: String) throws {
        let folder = try TemporaryFolder()
        for (line, status) in [("train --epochs 0", 2), ("evaluate nowhere", 1), ("no-such-command", 2)] {
            let tool = try Tool(shell: "\"$@\" \(redirection)", line.split(separator: " ").map(String.init))
            #expect(tool.status == Int32(status), "\(line) \(redirection)")
        }
        let run = folder.file("run")
        let train = try Tool(shell: "\"$@\" \(redirection)", Self.small + ["--epochs", "2", "--output", run])
        #expect(train.status == (redirection.hasPrefix(">/dev/full") ? 1 : 0))
        #expect(try metrics(run).count == 5)
    }

    @Test func anErrorThatNobodyReadsEndsNothing() throws {
        let tool = try Tool(
            shell: "{ { sleep 0.2; \"$@\" 3>&-; echo $? >&3; } 2>&1 | : ; } 3>&1", ["train", "--epochs", "0"])
        #expect(tool.output == "2\n")
    }

    /// A file that is opened doesn't get the number of a closed stream, and the text that is printed there.
    @Test(arguments: ["<&- >&-", ">&- 2>&-", "2>&-", "<&- >&- 2>&-"])
    func aClosedStreamIsNoFile(redirection: String) throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        func execute(_ arguments: [String]) throws {
            let tool = try Tool(shell: "exec \"$@\" \(redirection)", arguments)
            #expect(tool.status == 0, "\(tool.errors)")
        }
        try execute(Self.small + ["--epochs", "2", "--output", run])
        try execute(["train", "--resume", run, "--epochs", "3"])
        #expect(try metrics(run).map { $0["epoch"] as? Int } == [1, 1, 2, 2, 3, 3, 3])
    }

    @Test func aRunThatNobodyReadsEndsAsByCtrlC() throws {
        let folder = try TemporaryFolder(), run = folder.file("a run")
        let (status, errors) = try Self.statusWithoutReader(Self.small + ["--epochs", "100000", "--output", run])
        #expect(status == "130")
        #expect(errors == "saved in \(run); resume it with: train --resume '\(run)'\n", "quoted for a shell")
        #expect(try String(contentsOfFile: run + "/end.json", encoding: .utf8).contains("interrupted"))
        #expect(try Tool(["train", "--resume", run, "--epochs", "3", "--quiet"]).status == 0)
        #expect(try metrics(run).last?["epoch"] as? Int != nil)
    }

    @Test func commandsWithoutAStateEndQuietly() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        try TorchModels.load().write(to: folder)
        #expect(
            try Tool([
                "import", TorchModels.path("gru.safetensors"), "--vocabulary", folder.file("words.txt"), "--output",
                run,
            ]).status == 0)
        // The text would take hours.
        for line in [
            ["list"], ["--help"], ["--version"], ["list", "--help"], ["generate", run, "--words", "1000000000"],
        ] {
            #expect(try Self.statusWithoutReader(line) == ("141", ""), "\(line)")
        }
    }

    /// Whoever ignores SIGPIPE wants programs to continue, and learns at the end that the output is lost.
    @Test func anIgnoredPipeSignalStaysIgnored() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        let (status, errors) = try Self.statusWithoutReader(
            Self.small + ["--epochs", "2", "--output", run], ignoring: true)
        #expect(status == "1" && errors == "error: standard output: can't be written: broken pipe\n")
        #expect(try metrics(run).count == 5)
    }

    @Test func aFileThatMayNotGrowIsOneLine() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        let tool = try Tool(
            shell: "ulimit -f 1; \"$@\"", Self.small.setting("--hidden-size", "50") + ["--output", run, "--quiet"])
        #expect(tool.status == 1)
        #expect(tool.errors.hasPrefix("error: \(run)/") && tool.errors.contains("ulimit -f"), "\(tool.errors)")
        #expect(tool.errors.filter(\.isNewline).count == 1)
        #expect(try !FileManager.default.contentsOfDirectory(atPath: run).contains { $0.hasSuffix(".tmp") })

        let list = try Tool(shell: "ulimit -f 1; \"$@\" >\(folder.file("list"))", ["list"])
        #expect(list.status == 1 && list.errors == "error: standard output: can't be written: file too large\n")
    }
}
