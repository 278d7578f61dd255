import Foundation
import RecurrentCommandLine
import RecurrentCore
import Testing

/// The output of a run in progress.
struct ProgressTests {
    private static let small = [
        "--length", "8", "--train-size", "500", "--valid-size", "200", "--test-size", "200", "--epochs", "3",
    ]

    @Test func onePlainLinePerEpochElsewhereThanOnATerminal() throws {
        let result = try Tool(Self.small)
        #expect(!result.output.contains("\r") && !result.output.contains("\u{1B}"))
        for epoch in 1...3 {
            #expect(result.output.split(separator: "\n").filter { $0.contains("epoch \(epoch) ") }.count == 1)
        }
        #expect(
            result.output.contains("test accuracy") && result.output.contains("all epochs")
                && result.output.contains("seed 1"))
    }

    /// Returns what a run prints on a terminal of 50 columns.
    private static func onATerminal(_ environment: [String: String]) throws -> String {
        var leader: Int32 = 0, follower: Int32 = 0
        var size = winsize(ws_row: 24, ws_col: 50, ws_xpixel: 0, ws_ypixel: 0)
        try #require(openpty(&leader, &follower, nil, nil, &size) == 0)
        let (process, _, _) = Tool.process(small, environment: environment)
        process.standardOutput = FileHandle(fileDescriptor: follower, closeOnDealloc: false)
        try process.run()
        // Only the program keeps its side open, so that reading ends when the program does.
        close(follower)
        var text = Data(), buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(leader, &buffer, buffer.count)
            if count <= 0 { break }
            text += buffer[..<count]
        }
        close(leader)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: text, as: UTF8.self)
    }

    /// The line is redrawn and never wraps.
    @Test func aLiveLineOnATerminal() throws {
        let drawn = try Self.onATerminal(["TERM": "xterm", "NO_COLOR": ""]).components(separatedBy: "\r\u{1B}[K")
        let live = drawn.filter { $0.contains("epoch 1/3") }
        #expect(!live.isEmpty, "\(drawn)")
        for line in live {
            #expect(
                line.count <= 47 && !line.contains("\n") && line.contains(/urnn epoch 1\/3 [█░]+ +\d+ %  batch/),
                "\(line)")
        }
        // Epochs of less than a tenth of a second may have no live line before their own.
        #expect(drawn.contains { $0.contains("urnn  epoch 3  train loss") })
    }

    @Test(arguments: [["TERM": "dumb"], ["TERM": ""], ["TERM": "xterm", "NO_COLOR": "1"]])
    func plainLinesOnATerminalThatWantsThem(environment: [String: String]) throws {
        let text = try Self.onATerminal(["NO_COLOR": ""].merging(environment) { $1 })
        #expect(
            !text.contains("\u{1B}") && !text.replacingOccurrences(of: "\r\n", with: "\n").contains("\r"), "\(text)")
        #expect(text.components(separatedBy: "\r\n").filter { $0.contains("epoch 2 ") }.count == 1)
        // The table is wider than the terminal.
        #expect(text.contains("\r\ncell            urnn\r\nbest epoch      ") && !text.contains("───"), "\(text)")
    }

    /// Lines within an epoch are printed on request, and change nothing else.
    @Test func linesWithinALongEpoch() throws {
        let folder = try TemporaryFolder()
        let plain = try Tool(Self.small + ["--output", folder.file("plain")])
        let often = try Tool(Self.small + ["--log-interval", "1e-9", "--output", folder.file("often")])
        #expect(!plain.output.contains(" of 5 ") && plain.status == 0)
        let lines = often.output.split(separator: "\n").filter {
            $0.contains(/^urnn  epoch \d  batch \d of 5 \(\d+ %\)  train loss .*  at most \d:\d\d left$/)
        }
        #expect(lines.count == 15, "\(often.output)")
        for name in ["config.json", "model.safetensors"] {
            let files = ["plain", "often"].map { FileManager.default.contents(atPath: folder.file("\($0)/\(name)")) }
            #expect(files[0] != nil && files[0] == files[1], "\(name)")
        }
        #expect(try !Tool(Self.small + ["--log-interval", "0"]).output.contains(" of 5 "))
        for wrong in [["-1"], ["nan"], ["soon"], ["5", "--quiet"]] {
            let tool = try Tool(["--log-interval"] + wrong)
            #expect(tool.status == 2 && tool.errors.contains("--log-interval"), "\(tool.errors)")
        }
    }

    @Test func aLineFitsAnyWidth() {
        func line(_ batch: Int) -> ProgressLine {
            ProgressLine(
                label: "urnn", epoch: 3, epochs: 140, batch: batch, batches: 4000, loss: 2.30258,
                metric: "accuracy 12.50 %",
                sequencesPerSecond: 12345.6, secondsLeft: 4980)
        }
        for columns in 0...300 {
            let texts = [0, 7, 1234, 4000].map { line($0).live(columns) }
            // Nothing moves while the numbers grow.
            #expect(Set(texts.map(\.count)).count == 1 && texts[0].count <= columns, "\(texts)")
            #expect(!texts[0].contains("█") && !texts[3].contains("░"))
            if columns >= 35 { #expect(texts[2].contains("30 %") && texts[2].contains("█")) }
        }
        #expect(line(1234).live(30) == "urnn epoch 3/140 ██░░░░░  30 %")
        #expect(line(1234).live(20) == "urnn epoch 3/140")
        #expect(
            line(1234).live(77)
                == "urnn epoch 3/140 █░░░░░  30 %  batch 1234 of 4000  loss 2.303  ≤ 1:23:00 left")
        #expect(
            line(1234).live(140)
                == "urnn epoch 3/140 ███████████░░░░░░░░░░░░░░░░░░░░░░░░░░░  30 %  batch 1234 of 4000  loss 2.303  accuracy 12.50 %  12345 seq/s  ≤ 1:23:00 left"
        )
    }

    @Test func aNarrowerWindowIsCleared() {
        #expect(LiveLine.erasing(77, width: 80) == "\r\u{1B}[K" && LiveLine.erasing(0, width: 80) == "\r\u{1B}[K")
        // The terminal has wrapped the 77 columns into two and four rows.
        #expect(LiveLine.erasing(77, width: 40) == "\r\u{1B}[1A\u{1B}[J")
        #expect(LiveLine.erasing(77, width: 20) == "\r\u{1B}[3A\u{1B}[J")
        #expect(LiveLine.columns(80) < 80 && LiveLine.columns(1) == 0)
        #expect(LiveLine.cut("█░≤∞é", to: 4) == "█░≤∞" && LiveLine.cut("漢字", to: 3) == "漢")
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func interruptionEndsARunCleanly(signal: Int32) throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run")
        let (process, output, errors) = Tool.process([
            "--length", "20", "--train-size", "2000", "--epochs", "3000", "--stop-loss", "1e-30", "--output", run,
        ])
        try process.run()
        // After the first epoch's line there is a model to keep.
        var text = ""
        while !text.contains("epoch 2") {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            text += String(decoding: data, as: UTF8.self)
        }
        kill(process.processIdentifier, signal)
        text += String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 130 && process.terminationReason == .exit)
        #expect(text.contains("interrupted") && text.contains("saved in \(run)"))
        #expect(errors.fileHandleForReading.readDataToEndOfFile().isEmpty)
        // The saved model is complete, and the table's test result was measured with it.
        let result = try Tool(["evaluate", run, "--json"])
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as! [String: Any]
        #expect(object["loss"] as? Double == (try metrics(run)).last?["loss"] as? Double)
    }
}
