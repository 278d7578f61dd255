import Foundation
import Testing

/// A search whose points can't all be run, and one that is extended.
struct FailedPointTests {
    private func rows(_ folder: TemporaryFolder) throws -> [[String]] {
        try String(contentsOfFile: folder.file("search.csv"), encoding: .utf8).split(separator: "\r\n").dropFirst()
            .map { $0.split(separator: ",").map(String.init) }
    }
    private static let toy = "--length 4 --symbols 3 --train-size 200 --valid-size 100 --test-size 50 --hidden-size 8"

    /// Values that don't fit together, and a run that fails when it starts.
    @Test func theOthersGoOn() throws {
        let folder = try TemporaryFolder()
        for name in ["train", "valid", "test"] {
            let text = String(repeating: "a b c d e f g h\n", count: 40)
            try text.write(toFile: folder.file("ptb.\(name).txt"), atomically: true, encoding: .utf8)
        }
        let tool = try Tool(
            "search --try batch-size=100000,4 --try tied=true,false --output \(folder.path) -- --dataset ptb --data \(folder.path) --bptt 5 --hidden-size 8 --embedding-size 8 --epochs 1 --layers 2"
        )
        #expect(tool.status == 0 && tool.output.contains("best: cli train"), "\(tool.errors)")
        #expect(tool.output.contains("2 of 4 points failed"))
        let rows = try rows(folder)
        #expect(
            rows.map { $0[1] } == ["4", "4", "100000", "100000"]
                && rows.map { $0[3] }.suffix(2) == ["failed", "failed"])
        let report = try String(contentsOfFile: folder.file("report.md"), encoding: .utf8)
        #expect(
            report.contains("batch-size=100000 tied=true failed: the run failed (ptb: its train split is too small"))
        #expect(!report.contains("Incomplete") && report.contains("4 points, of which 2 failed"), "\(report)")
    }

    /// Why a run failed is kept beside it, for later reports; only what failed is tried again.
    @Test func failuresAreRecordedAndTriedAgain() throws {
        let folder = try TemporaryFolder(), results = folder.file("results"), corpus = folder.file("corpus")
        try FileManager.default.createDirectory(atPath: corpus, withIntermediateDirectories: true)
        func write(_ count: Int) throws {
            for name in ["train", "valid", "test"] {
                let text = String(repeating: "a b c d e f g h\n", count: count)
                try text.write(toFile: corpus + "/ptb.\(name).txt", atomically: true, encoding: .utf8)
            }
        }
        try write(40)
        let search = "search --try batch-size=500,4 --output \(results)"
        let options = " -- --dataset ptb --data \(corpus) --bptt 5 --hidden-size 8 --embedding-size 8 --epochs 1"
        #expect(try Tool(search + options).output.contains("1 of 2 points failed"))
        let record = results + "/runs/batch-size=500/seed1/failure.json"
        #expect(try String(contentsOfFile: record, encoding: .utf8).contains("train split is too small"))
        let report = try Tool(search + " --report-only" + options)
        #expect(report.status == 0 && report.output.contains("1 of 2 points failed"), "\(report)")

        try write(400)
        let again = try Tool(search + options)
        #expect(again.output.contains("1 of 2 runs were finished before"), "\(again)")
        #expect(!again.output.contains("points failed") && !FileManager.default.fileExists(atPath: record))
    }

    /// The child of a search that was killed may begin the run when another search has just taken it over.
    @Test func aRunThatSomebodyElseHasJustBegunIsWaitedFor() throws {
        let folder = try TemporaryFolder(), launcher = folder.file("launcher")
        // The first time, another process begins the run before its own child does.
        let script = """
            #!/bin/sh
            if mkdir "\(folder.path)/once" 2>/dev/null; then
                "$@" >/dev/null 2>&1 &
                while [ ! -e "\(folder.path)/results/runs/learning-rate=0.1/seed1/metrics.jsonl" ]; do sleep 0.01; done
            fi
            exec "$@"
            """
        try script.write(toFile: launcher, atomically: true, encoding: .utf8)
        chmod(launcher, 0o755)
        let tool = try Tool(
            "search --try lr=0.1 --output \(folder.file("results")) --launcher \(launcher) -- \(Self.toy) --epochs 60")
        #expect(tool.status == 0 && tool.output.contains("another process has taken it over"), "\(tool)")
        #expect(tool.output.contains("best: cli train") && !tool.output.contains("failed"))
    }

    @Test func valuesThatDontFitTogetherAreListed() throws {
        let folder = try TemporaryFolder()
        let tool = try Tool(
            "search --try tied=true,false --try embedding-size=7,8 --output \(folder.path) -- \(Self.toy) --epochs 1")
        #expect(tool.status == 0, "\(tool.errors)")
        #expect(
            tool.output.contains("tied=true embedding-size=7 can't be run: --tied needs an --embedding-size"),
            "\(tool.output)")
        #expect(try rows(folder).map { $0[3] == "failed" } == [false, false, false, true])
    }

    /// A search that is given again with more epochs counts all epochs that its runs have had.
    @Test func anExtendedSearchRanksByWhatItHas() throws {
        let folder = try TemporaryFolder()
        let line =
            "search --try learning-rate=0.001,0.003,0.01,0.03 --halving --output \(folder.path) -- \(Self.toy) --epochs "
        for epochs in [4, 8] {
            let tool = try Tool(line + "\(epochs)")
            try #require(tool.status == 0, "\(tool.errors)")
            let rows = try rows(folder), losses = rows.map { Double($0[2])! }
            #expect(losses == losses.sorted() && rows[0][5] == "\(epochs)")
            for row in rows {
                #expect(Int(row[4])! <= Int(row[5])!, "best epoch \(row[4]) of \(row[5])")
                let run = folder.file("runs/learning-rate=\(row[1])/seed1")
                let valid = try metrics(run).filter { $0["split"] as? String == "valid" }
                #expect(valid.count == Int(row[5]))
                #expect(abs(valid.map { $0["loss"] as! Double }.min()! - Double(row[2])!) < 1e-4)
            }
        }
    }
}
