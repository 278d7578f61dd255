import Foundation
import Testing

/// Results whose runs are packed into one file, as they are committed.
struct ArchiveTests {
    private static let script = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../scripts/archive-runs")
        .standardizedFileURL.path

    private static func archive(_ folder: String) throws -> (status: Int32, errors: String) {
        let process = Process(), errors = Pipe()
        process.executableURL = URL(fileURLWithPath: script)
        process.arguments = [folder]
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, errors)
        try process.run()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: complaint, as: UTF8.self))
    }

    /// Removes weights and vocabularies, which an archive doesn't keep.
    private static func removeWeights(_ folder: String) throws {
        let manager = FileManager.default
        for case let file as URL in manager.enumerator(
            at: URL(fileURLWithPath: folder), includingPropertiesForKeys: nil)!
        where ["safetensors", "txt"].contains(file.pathExtension)
            && !["greedy.txt", "drawn.txt"].contains(file.lastPathComponent)
        {
            try manager.removeItem(at: file)
        }
    }

    /// Returns the report's text and tables, by file.
    private static func report(_ folder: TemporaryFolder) throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            $0.hasSuffix(".csv") || $0 == "report.md"
        }
        return Dictionary(
            uniqueKeysWithValues: names.map { ($0, FileManager.default.contents(atPath: folder.file($0))!) })
    }

    @Test func aReportComesFromAnArchiveAndNothingIsTrainedTwice() throws {
        let folder = try TemporaryFolder(), scratch = try TemporaryFolder(), manager = FileManager.default
        let environment = ["PTB_DIR": "", "TMPDIR": scratch.path]
        let train = ["reproduce", "figure1", "figure3", "--jobs", "2", "--output", folder.path],
            line = train + ["--report-only"]
        try #require(try Tool(train, environment: environment).status == 0)
        // Weights aren't part of an archive, but they aren't deleted either.
        #expect(try Self.archive(folder.path).errors.contains("is no record of a run"))
        try Self.removeWeights(folder.file("runs"))
        try #require(try Tool(line, environment: environment).status == 0)
        let before = try Self.report(folder)
        #expect(before.keys.contains("runs.csv"))

        #expect(try Self.archive(folder.path).status == 0)
        let bytes = try #require(manager.contents(atPath: folder.file("runs.tar.gz")))
        #expect(!manager.fileExists(atPath: folder.file("runs")))
        let tool = try Tool(line, environment: environment)
        #expect(tool.status == 0, "\(tool.errors)")
        #expect(try Self.report(folder) == before)
        let links = try ["report.md", "report.html"].map {
            try String(contentsOfFile: folder.file($0), encoding: .utf8)
        }
        #expect(!links[0].contains("](runs") && !links[1].contains("href=\"runs") && !links[0].contains(scratch.path))
        #expect(!manager.fileExists(atPath: folder.file("runs")))
        #expect(try manager.contentsOfDirectory(atPath: scratch.path) == [])

        let again = try Tool(train, environment: environment)
        #expect(again.status == 0 && again.output.contains("4 of 4 runs were finished before"), "\(again)")
        #expect(manager.fileExists(atPath: folder.file("runs/smoke/recall-n100-rnn/seed1/config.json")))
        // The same runs give the same bytes.
        #expect(try Self.archive(folder.path).status == 0)
        #expect(manager.contents(atPath: folder.file("runs.tar.gz")) == bytes)

        // Other runs are added to the existing ones.
        try manager.createDirectory(atPath: folder.file("runs/smoke/other/seed1"), withIntermediateDirectories: true)
        try "{}".write(toFile: folder.file("runs/smoke/other/seed1/config.json"), atomically: true, encoding: .utf8)
        #expect(try Self.archive(folder.path).status == 0)
        #expect(try Tool(line, environment: environment).status == 0)
        #expect(try Self.report(folder) == before)
    }

    @Test func aSearchIsReportedFromItsArchive() throws {
        let folder = try TemporaryFolder()
        let words = [
            "search", "--try", "learning-rate=0.001,0.01", "--halving", "--jobs", "2", "--output", folder.path,
        ]
        let options = [
            "--", "--dataset", "recall", "--length", "4", "--symbols", "3", "--train-size", "300", "--epochs", "2",
        ]
        let none = try Tool(words + ["--report-only"] + options)
        #expect(
            none.status == 1 && none.errors.contains("has no runs to report")
                && none.errors.split(separator: "\n").count == 1)
        try #require(try Tool(words + options).status == 0)
        try Self.removeWeights(folder.file("runs"))
        let before = try Self.report(folder).filter { $0.key != "report.md" }
        #expect(try Self.archive(folder.path).status == 0)
        let tool = try Tool(words + ["--report-only"] + options)
        #expect(tool.status == 0 && tool.output.contains("best: cli train"), "\(tool.errors)")
        #expect(try Self.report(folder).filter { $0.key != "report.md" } == before)

        let other = try Tool(
            ["search", "--try", "learning-rate=0.5", "--report-only", "--output", folder.path] + options)
        #expect(other.status == 1 && other.errors.contains("has no runs of this search"), "\(other.errors)")
    }

    @Test(arguments: ["cut off", "no archive", "empty"])
    func aDamagedArchiveIsOneLine(damage: String) throws {
        let folder = try TemporaryFolder(), scratch = try TemporaryFolder(), manager = FileManager.default
        let run = folder.file("runs/smoke/recall-n100-rnn/seed1"), file = folder.file("runs.tar.gz")
        try manager.createDirectory(atPath: run, withIntermediateDirectories: true)
        try "{}".write(toFile: run + "/config.json", atomically: true, encoding: .utf8)
        try #require(try Self.archive(folder.path).status == 0)
        let bytes = manager.contents(atPath: file)!
        try (["cut off": bytes.prefix(bytes.count / 2), "empty": Data()][damage] ?? Data("text".utf8)).write(
            to: URL(fileURLWithPath: file))
        for option in [["--report-only"], []] {
            let tool = try Tool(
                ["reproduce", "figure1", "--output", folder.path] + option,
                environment: ["PTB_DIR": "", "TMPDIR": scratch.path])
            #expect(tool.status == 1 && tool.errors.hasPrefix("error: \(file): can't be unpacked"), "\(tool.errors)")
            #expect(tool.errors.split(separator: "\n").count == 1, "\(tool.errors)")
            #expect(try manager.contentsOfDirectory(atPath: folder.path) == ["runs.tar.gz"])
            #expect(try manager.contentsOfDirectory(atPath: scratch.path) == [])
        }
    }
}
