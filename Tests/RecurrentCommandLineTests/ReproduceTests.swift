import Foundation
import Testing

/// `cli reproduce`, as a user runs it; `scripts/check-report` checks the report's
/// appearance in a browser.
struct ReproduceTests {
    static let noCorpus = ["PTB_DIR": ""]

    @Test func runsOnceAndWritesItsReport() throws {
        let folder = try TemporaryFolder()
        let line = [
            "reproduce", "table2", "table6", "figure1", "figure3", "--jobs", "2", "--seeds", "1,2", "--output",
            folder.path,
        ]
        let first = try Tool(line, environment: Self.noCorpus)
        try #require(first.status == 0, "\(first.errors)")
        #expect(first.output.contains("[18/18]"))
        let markdown = try String(contentsOfFile: folder.file("report.md"), encoding: .utf8)
        // Two seeds give a spread; the uRNN with |x| has the norm √25 throughout.
        #expect(
            markdown.contains("## Table 6") && markdown.contains("5.00000 … 5.00000")
                && markdown.contains("figure1.svg"))
        let html = try String(contentsOfFile: folder.file("report.html"), encoding: .utf8)
        #expect(html.contains("table6-data") && html.contains("data:image/svg+xml;base64,") && !html.contains("http"))
        let csv = try String(contentsOfFile: folder.file("table6.csv"), encoding: .utf8)
        #expect(csv.split(separator: "\r\n").count == 4)
        #expect(try metrics(folder.file("runs/smoke/ptb-urnn-relu/seed2")).contains { $0["frobeniusNorm"] != nil })

        // The second time, only missing runs are run.
        try FileManager.default.removeItem(atPath: folder.file("runs/smoke/recall-n100-rnn/seed1"))
        try FileManager.default.removeItem(atPath: folder.file("runs/smoke/recall-n100-urnn/seed2/reproduction.json"))
        let again = try Tool(line, environment: Self.noCorpus)
        try #require(again.status == 0, "\(again.errors)")
        #expect(again.output.contains("16 of 18 runs were finished before"))
        func tables(_ text: String) -> [Substring] { text.split(separator: "\n").filter { $0.hasPrefix("| ") } }
        #expect(try tables(String(contentsOfFile: folder.file("report.md"), encoding: .utf8)) == tables(markdown))
    }

    /// Existing runs of several commands make one report, from a folder without weights as
    /// it is committed; nothing is trained.
    @Test func runsThatAreThereMakeOneReport() throws {
        let folder = try TemporaryFolder(), manager = FileManager.default
        let run = try Tool(
            ["reproduce", "figure1", "figure3", "--jobs", "2", "--output", folder.path], environment: Self.noCorpus)
        try #require(run.status == 0, "\(run.errors)")
        let text = try String(contentsOfFile: folder.file("runs/smoke/ptb-urnn-relu/seed1/greedy.txt"), encoding: .utf8)
        try manager.copyItem(atPath: folder.file("runs/smoke/recall-n100-urnn"), toPath: folder.file("kept"))
        for name in ["ptb-urnn-relu/seed1/model.safetensors", "recall-n100-urnn"] {
            try manager.removeItem(atPath: folder.file("runs/smoke/\(name)"))
        }
        let line = ["reproduce", "all", "--scale", "smoke,short", "--report-only", "--output", folder.path]
        let tool = try Tool(line, environment: Self.noCorpus)
        try #require(tool.status == 0, "\(tool.errors)")
        let markdown = try String(contentsOfFile: folder.file("report.md"), encoding: .utf8)
        let titles = markdown.split(separator: "\n").filter { $0.hasPrefix("## ") }.map {
            $0.dropFirst(3).prefix { $0 != ":" }
        }
        #expect(
            titles == [
                "Table 1", "Table 2", "Table 3 (scale smoke)", "Table 5 (scale smoke)", "Table 6 (scale smoke)",
                "Figure 1 (scale smoke)", "Figure 3 (scale smoke)", "Figure 4 (scale smoke)",
            ])
        #expect(markdown.contains(text) && markdown.contains("figure1-smoke.svg"))
        #expect(markdown.contains("--report-only`") && markdown.contains("runs aren't finished"))
        #expect(!manager.fileExists(atPath: folder.file("runs/smoke/recall-n100-urnn")))
        #expect(manager.fileExists(atPath: folder.file("table3-smoke.csv")))

        // With another finished run, one fewer is missing.
        func missing(_ text: String) -> Int? { text.firstMatch(of: /Incomplete: (\d+) runs/).flatMap { Int($0.1) } }
        try manager.moveItem(atPath: folder.file("kept"), toPath: folder.file("runs/smoke/recall-n100-urnn"))
        try #require(try Tool(line, environment: Self.noCorpus).status == 0)
        #expect(
            try missing(String(contentsOfFile: folder.file("report.md"), encoding: .utf8))
                == missing(markdown).map { $0 - 1 })
    }

    /// Training the paper's epochs a few at a time gives the same result as all at once.
    @Test func aRunGoesOnWithMoreEpochs() throws {
        let folder = try TemporaryFolder(), whole = try TemporaryFolder()
        func reproduce(_ what: String, _ folder: TemporaryFolder) throws -> (
            output: String, rows: [Substring], report: String
        ) {
            let line = ["reproduce", "table3", "figure3"] + what.split(separator: " ").map(String.init)
            let tool = try Tool(
                line + ["--models", "urnn", "--jobs", "2", "--output", folder.path], environment: Self.noCorpus)
            try #require(tool.status == 0, "\(tool.errors)")
            let report = try String(contentsOfFile: folder.file("report.md"), encoding: .utf8)
            return (tool.output, report.split(separator: "\n").filter { $0.contains("| uRNN |") }, report)
        }
        let begun = try reproduce("--epochs 1", folder)
        #expect(begun.rows.count == 3 && begun.rows.allSatisfy { $0.hasSuffix("| 1 | 1 |") })
        let seen = try reproduce("--report-only", folder)
        #expect(seen.rows == begun.rows && seen.report.contains("Incomplete: 4 runs"))

        let gone = try reproduce("", folder), all = try reproduce("", whole)
        #expect(
            !gone.output.contains("finished before") && gone.rows == all.rows
                && gone.rows.allSatisfy { $0.hasSuffix("| 2 | 1 |") })
        #expect(gone.report.contains("--epochs 2 --track-test") && !gone.report.contains("Incomplete"))
        for name in ["recall-n50-urnn", "ptb-urnn-relu"] {
            let weights = try [folder, whole].map {
                try Data(contentsOf: URL(fileURLWithPath: $0.file("runs/smoke/\(name)/seed1/model.safetensors")))
            }
            #expect(weights[0] == weights[1])
        }
        // If fewer epochs are requested than exist, none are removed.
        #expect(try reproduce("--epochs 1", folder).rows == all.rows)
    }

    /// A machine that only trains needs no gnuplot.
    @Test func trainsWithoutGnuplotAndReportsElsewhere() throws {
        let folder = try TemporaryFolder()
        let line = ["reproduce", "figure1", "--output", folder.path]
        let bare = ["PTB_DIR": "", "PATH": folder.path]
        let refused = try Tool(line, environment: bare)
        #expect(refused.status == 1 && refused.errors.contains("gnuplot"))
        let trained = try Tool(line + ["--no-report"], environment: bare)
        #expect(trained.status == 0, "\(trained.errors)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
                $0.hasPrefix("report") || $0.hasSuffix(".svg")
            } == [])
        let report = try Tool(line + ["--report-only"], environment: Self.noCorpus)
        #expect(report.status == 0, "\(report.errors)")
        #expect(try String(contentsOfFile: folder.file("report.md"), encoding: .utf8).contains("figure1.svg"))
    }

    /// Even if 127.0.0.1 isn't up, the ends of runs and of gnuplot must be noticed.
    @Test(.enabled(if: Tool.canLackNetwork, "unshare can't run a command without a network here"))
    func trainsWithoutANetwork() throws {
        let folder = try TemporaryFolder()
        let (process, output, errors) = Tool.process([], environment: Self.noCorpus)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["timeout", "--signal", "KILL", "100"] + Tool.withoutNetwork
            + [Tool.path, "reproduce", "figure1", "--output", folder.path]
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile(),
            complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(
            process.terminationStatus == 0 && String(decoding: text, as: UTF8.self).contains("[3/3]"),
            "\(String(decoding: complaint, as: UTF8.self))")
        #expect(FileManager.default.fileExists(atPath: folder.file("report.html")))
    }

    @Test func aFolderOfOtherRunsIsRefused() throws {
        let folder = try TemporaryFolder()
        let line = ["reproduce", "figure1", "--output", folder.path]
        try #require(try Tool(line, environment: Self.noCorpus).status == 0)
        let file = folder.file("runs/smoke/recall-n100-rnn/seed1/config.json")
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacingOccurrences(of: "\"trainSize\" : 400", with: "\"trainSize\" : 401").write(
            toFile: file, atomically: true, encoding: .utf8)
        let tool = try Tool(line, environment: Self.noCorpus)
        #expect(
            tool.status == 1 && tool.errors.contains("was made with other options (--train-size 401 instead of 400)"))
    }

    /// A report must not show runs on one corpus as runs on another.
    @Test func aFolderOfAnotherCorpusIsRefused() throws {
        let folder = try TemporaryFolder(), corpus = try TemporaryFolder()
        let line = ["reproduce", "figure3", "--output", folder.path]
        try #require(try Tool(line, environment: Self.noCorpus).status == 0)
        for split in ["train", "valid", "test"] {
            let text = String(repeating: "a bank sold its shares\n", count: 900)
            try text.write(toFile: corpus.file("\(split).txt"), atomically: true, encoding: .utf8)
        }
        let tool = try Tool(line + ["--data", corpus.path], environment: Self.noCorpus)
        #expect(tool.status == 1 && tool.errors.contains("was trained on a generated mini corpus"), "\(tool.errors)")
        let report = try Tool(line + ["--report-only"], environment: ["PTB_DIR": corpus.path])
        #expect(report.status == 0)
        #expect(
            try String(contentsOfFile: folder.file("report.md"), encoding: .utf8).contains(
                "Corpus: a generated mini corpus"))
    }

    @Test func aDivergedRunIsNoResultToAverage() throws {
        let folder = try TemporaryFolder()
        let line = [
            "reproduce", "figure1", "table3", "--models", "rnn", "--seeds", "1,2", "--jobs", "2", "--output",
            folder.path,
        ]
        try #require(try Tool(line, environment: Self.noCorpus).status == 0)
        let run = folder.file("runs/smoke/recall-n20-rnn/seed2")
        let record = try String(contentsOfFile: run + "/reproduction.json", encoding: .utf8)
            .replacing("\"reason\" : \"epochs\"", with: "\"reason\" : \"diverged\", \"step\" : 5")
            .replacing(/"epochs" : 2/, with: "\"epochs\" : 0")
        try record.write(toFile: run + "/reproduction.json", atomically: true, encoding: .utf8)
        let metrics = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8)
        try metrics.split(separator: "\n").first.map { $0 + "\n" }!.write(
            toFile: run + "/metrics.jsonl", atomically: true, encoding: .utf8)
        try #require(try Tool(line, environment: Self.noCorpus).status == 0)
        let markdown = try String(contentsOfFile: folder.file("report.md"), encoding: .utf8)
        let row = try #require(markdown.split(separator: "\n").first { $0.hasPrefix("| 20 | RNN |") })
        #expect(row.hasSuffix("| 2 | 1 of 2, 1 diverged |") && !row.contains("±"), "\(row)")
        #expect(markdown.contains("; diverged at step 5"))
        let runs = try String(contentsOfFile: folder.file("runs.csv"), encoding: .utf8).split(separator: "\r\n")
        #expect(
            runs.count(where: { $0.contains(",diverged,") }) == 1
                && runs.count(where: { $0.contains(",finished,") }) == 9)
    }

    @Test(arguments: [
        ("reproduce --output x", 1), ("reproduce table8 --output x", 2), ("reproduce all --scale huge --output x", 2),
        ("reproduce table1 --seeds 1,a --output x", 2), ("reproduce table1 --seeds 1,1 --output x", 2),
        ("reproduce table1 --jobs 0 --output x", 2), ("reproduce table3 --models lstm --output x", 2),
        ("reproduce table5 --scale paper --output x", 1),
        ("reproduce table5 --data /nowhere --output x", 1), ("reproduce table1 --output /dev/null/x", 1),
        ("reproduce table1 --scale short,short --output x", 2), ("reproduce table1 --scale short, --output x", 2),
        ("reproduce all --report-only --output x", 1), ("reproduce table4-searched --models gru --output x", 2),
        ("reproduce table1 --epochs 0 --output x", 2), ("reproduce table1 --report-only --no-report --output x", 2),
        ("reproduce table1 --backend tpu --output x", 2), ("reproduce table1 --device 1 --output x", 2),
    ])
    func whatIsWrongIsSaidInOneLine(line: String, status: Int32) throws {
        let tool = try Tool(line.split(separator: " ").map(String.init), environment: Self.noCorpus)
        #expect(tool.status != 0)
        #expect(tool.errors.hasPrefix("error: "), "\(tool.errors)")
        if status == 2 { #expect(tool.status == 2) }
        #expect(!FileManager.default.fileExists(atPath: "x"))
    }
}
