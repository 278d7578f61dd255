import Foundation
import Testing

/// `cli search`, as a user runs it.
struct SearchTests {
    private static let common = [
        "--", "--dataset", "recall", "--length", "4", "--symbols", "3", "--train-size", "300", "--epochs", "3",
    ]

    @Test func ranksByValidationLossAndRunsNothingTwice() throws {
        let folder = try TemporaryFolder()
        let line =
            [
                "search", "--try", "learning-rate=0.00001,0.01", "--try", "cell=urnn,rnn", "--jobs", "2", "--seeds",
                "1,2", "--output", folder.path,
            ] + Self.common
        let first = try Tool(line)
        try #require(first.status == 0, "\(first.errors)")
        #expect(first.output.contains("[8/8]") && first.output.contains("best: cli train"))
        let rows = try table(folder)
        #expect(rows.count == 4 && rows.map { $0[0] } == ["1", "2", "3", "4"])
        // 300 sequences with a learning rate of 1e-5 aren't enough to learn anything.
        #expect(rows[0][1] == "0.01" && rows[3][1] == "0.00001")
        let losses = rows.map { Double($0[3].split(separator: " ")[0])! }
        #expect(losses == losses.sorted() && losses[0] < losses[3])
        // Each row is the mean of its runs' best validation losses.
        let best = try [1, 2].map { seed in
            try metrics(folder.file("runs/learning-rate=0.01_cell=\(rows[0][2])/seed\(seed)"))
                .filter { $0["split"] as? String == "valid" }.map { $0["loss"] as! Double }.min()!
        }
        #expect(abs((best[0] + best[1]) / 2 - losses[0]) < 1e-4)
        #expect(try String(contentsOfFile: folder.file("report.html"), encoding: .utf8).contains("search-data"))

        let again = try Tool(line)
        #expect(again.status == 0 && again.output.contains("8 of 8 runs were finished before"))
        #expect(try table(folder) == rows)
    }

    private func table(_ folder: TemporaryFolder) throws -> [[String]] {
        try String(contentsOfFile: folder.file("search.csv"), encoding: .utf8).split(separator: "\r\n").dropFirst()
            .map { $0.split(separator: ",").map(String.init) }
    }

    @Test(arguments: [
        "search --output x", "search --try lrr=1,2 --output x", "search --try learning-rate --output x",
        "search --try learning-rate=1,1 --output x", "search --try learning-rate=0.1,-1 --output x",
        "search --try cell=urnn,none --output x", "search --try seed=1,2 --output x",
        "search --try dropout=0,2 --output x",
        "search --try dropout=0 --trials 0 --output x", "search --try dropout=0 --jobs 0 --output x",
        "search --try dropout=0 --seeds a --output x", "search --try dropout=0 --output x -- --resume y",
        "search --try dropout=0 --output x -- more", "search --try dataset=recall,adding --output x",
    ])
    func whatIsWrongIsSaidInOneLine(line: String) throws {
        let tool = try Tool(line.split(separator: " ").map(String.init))
        #expect(tool.status == 2, "\(tool.errors)")
        #expect(tool.errors.hasPrefix("error: ") && tool.errors.split(separator: "\n").count == 1, "\(tool.errors)")
        #expect(!FileManager.default.fileExists(atPath: "x"))
    }
}

/// Ranges, flags, lists and successive halving.
struct SearchedOptionTests {
    private func rows(_ folder: TemporaryFolder) throws -> (header: [String], rows: [[String]]) {
        let lines = try String(contentsOfFile: folder.file("search.csv"), encoding: .utf8).split(separator: "\r\n")
            .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        return (lines[0], Array(lines.dropFirst()))
    }

    @Test(arguments: ["constant", "cosine"]) func theBetterHalfIsTrainedForLonger(schedule: String) throws {
        let folder = try TemporaryFolder()
        let line =
            "search --try learning-rate=0.001..0.1 --try fresh-data=true,false --try dropout-on=embedding|output|logits --trials 4 --halving "
            + "--jobs 2 --output \(folder.path) -- --length 4 --symbols 3 --train-size 200 --epochs 4 --hidden-size 8 --schedule \(schedule)"
        let first = try Tool(line)
        try #require(first.status == 0, "\(first.errors)")
        let (header, rows) = try rows(folder)
        #expect(
            header == [
                "rank", "learning-rate", "fresh-data", "dropout-on", "valid loss", "valid accuracy %", "best epoch",
                "epochs", "seeds",
            ])
        // Four runs have one epoch; two of these, two epochs; and one, all epochs.
        #expect(rows.count == 4 && rows.map { $0[7] } == ["4", "2", "1", "1"])
        for row in rows { #expect((0.001...0.1).contains(Double(row[1])!) && ["true", "false"].contains(row[2])) }
        let runs = try FileManager.default.contentsOfDirectory(atPath: folder.file("runs"))
        // If the rate decays over the epochs, each number of epochs is a separate run.
        #expect(runs.count == (schedule == "constant" ? 4 : 7))
        let again = try Tool(line)
        #expect(
            again.status == 0 && !again.output.contains(" s\n") && again.output.contains("runs were finished before"),
            "\(again.output)")
        #expect(try self.rows(folder).rows == rows)

        // A run that was interrupted in a later round lacks its record, and is resumed from the first round on.
        for run in runs {
            try? FileManager.default.removeItem(atPath: folder.file("runs/\(run)/seed1/reproduction.json"))
        }
        let interrupted = try Tool(line)
        #expect(interrupted.status == 0, "\(interrupted.errors)")
        #expect(try self.rows(folder).rows == rows)
    }

    @Test func aSearchWithoutAFinishedRunFails() throws {
        let folder = try TemporaryFolder()
        let tool = try Tool(
            "search --try learning-rate=1e30,1e31 --output \(folder.path) -- --cell rnn --optimizer sgd --length 4 --train-size 200 --epochs 2"
        )
        #expect(tool.status == 1 && tool.errors.contains("every run of this search diverged"), "\(tool.errors)")
        #expect(try rows(folder).rows.count == 2 && !tool.output.contains("best:"))
    }

    @Test func theBestRunIsACommand() throws {
        let folder = try TemporaryFolder()
        let tool = try Tool(
            "search --try beta1=0,0.9 --output \(folder.path) -- --length 4 --train-size 200 --epochs 1")
        try #require(tool.status == 0, "\(tool.errors)")
        let command = try #require(tool.output.split(separator: "\n").first { $0.hasPrefix("best: cli train ") })
            .dropFirst("best: cli ".count)
        let run = folder.file("best")
        try #require(try Tool(command + " --quiet --output " + run).status == 0)
        let best = try metrics(run).first { $0["split"] as? String == "valid" }?["loss"] as? Double
        #expect(try rows(folder).rows[0][2] == best.map { String(format: "%.4f", $0) })
    }
}
