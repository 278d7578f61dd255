import Foundation
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

    /// On a terminal of 50 columns, the line is redrawn and never wraps.
    @Test func aLiveLineOnATerminal() throws {
        var leader: Int32 = 0, follower: Int32 = 0
        var size = winsize(ws_row: 24, ws_col: 50, ws_xpixel: 0, ws_ypixel: 0)
        try #require(openpty(&leader, &follower, nil, nil, &size) == 0)
        let (process, _, _) = Tool.process(Self.small)
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
        let drawn = String(decoding: text, as: UTF8.self).components(separatedBy: "\r\u{1B}[K")
        let live = drawn.filter { $0.contains("epoch 1/3") }
        #expect(!live.isEmpty, "\(drawn)")
        for line in live { #expect(line.count == 49 && !line.contains("\n"), "\(line)") }
        #expect(drawn.contains { $0.hasPrefix("urnn  epoch 3  train loss") })
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
