import Foundation
import Testing

/// `--launcher` of `search` and `reproduce`.
struct LauncherOptionTests {
    private static let toy = [
        "--", "--length", "4", "--symbols", "3", "--train-size", "200", "--hidden-size", "8", "--epochs", "1",
    ]

    @Test(arguments: ["", "srun 'x", "no-such-launcher"], ["search --try dropout=0", "reproduce table1"])
    func aBadLauncherIsRefused(launcher: String, command: String) throws {
        let tool = try Tool(
            command.split(separator: " ").map(String.init) + ["--output", "x", "--launcher", launcher])
        #expect(tool.status == 2, "\(tool.errors)")
        #expect(
            tool.errors.hasPrefix("error: --launcher") && tool.errors.split(separator: "\n").count == 1,
            "\(tool.errors)")
        #expect(!FileManager.default.fileExists(atPath: "x"))
    }

    /// A run isn't a rank of the group in which the search was started.
    @Test func aRunDoesNotInheritItsPlaceInAGroup() throws {
        let folder = try TemporaryFolder(), seen = folder.file("seen")
        let tool = try Tool(
            [
                "search", "--try", "learning-rate=0.01", "--output", folder.file("results"), "--launcher",
                "sh -c 'env > \(seen); exec \"$@\"' sh",
            ] + Self.toy, environment: ["OMPI_COMM_WORLD_SIZE": "1", "PMI_RANK": "0", "OMPI_MCA_btl": "self"])
        #expect(tool.status == 0, "\(tool.errors)")
        let variables = try String(contentsOfFile: seen, encoding: .utf8)
        #expect(!variables.contains("OMPI_COMM_WORLD") && !variables.contains("PMI_RANK"), "\(variables)")
        #expect(variables.contains("OMPI_MCA_btl=self"))
        let report = try String(contentsOfFile: folder.file("results/report.md"), encoding: .utf8)
        #expect(report.contains("--launcher 'sh -c"), "\(report)")
    }

    /// A signal to the search reaches the run behind a launcher that doesn't pass it on, and the run is saved.
    @Test func anInterruptionReachesTheRun() throws {
        let folder = try TemporaryFolder(), results = folder.file("results")
        let (process, _, _) = Tool.process(
            [
                "search", "--try", "learning-rate=0.01", "--output", results, "--launcher",
                "sh -c '\"$@\"; exit $?' sh",
                "--", "--length", "20", "--train-size", "2000", "--epochs", "100000", "--stop-loss", "1e-30",
                "--hidden-size", "10",
            ])
        process.useShell("exec \"$@\"")
        try process.run()
        let run = results + "/runs/learning-rate=0.01/seed1"
        while !FileManager.default.fileExists(atPath: run + "/state.safetensors"), process.isRunning { usleep(5000) }
        #expect(FileManager.default.fileExists(atPath: run + "/taken.json"))
        kill(process.processIdentifier, SIGTERM)
        let clock = ContinuousClock(), start = clock.now
        while process.isRunning, clock.now - start < .seconds(8) { usleep(5000) }
        try #require(!process.isRunning, "the search, whose processes remain, doesn't end")
        #expect(process.terminationStatus == 130)
        let end = try String(contentsOfFile: run + "/end.json", encoding: .utf8)
        #expect(end.contains("interrupted"))
        #expect(!FileManager.default.fileExists(atPath: run + "/taken.json"))
    }
}
