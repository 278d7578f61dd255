import Foundation
import Testing

/// The memory that a run takes, according to the kernel.
struct MemoryTests {
    /// Returns the peak resident size of a process in MB, which is read until it ends.
    private func peak(_ arguments: [String]) throws -> Double {
        let (process, _, errors) = Tool.process(arguments)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        var peak = 0.0
        while process.isRunning {
            // "VmHWM:    12345 kB" never decreases, so the last reading counts.
            let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
            if let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
                let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
            {
                peak = max(peak, kilobytes / 1000)
            }
            Thread.sleep(forTimeInterval: 0.002)
        }
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(process.terminationStatus == 0, "\(complaint)")
        return peak
    }

    /// The paper's GRU on 10,000 words, 150 steps at a time, with checkpoints. The
    /// [T·B, V] logits alone would be 480 MB.
    @Test func aLanguageModelOf150Steps() throws {
        let folder = try TemporaryFolder()
        let words = (0..<9_999).map { "w\($0)" }
        func text(_ count: Int) -> Data {
            Data(
                (0..<count / 100).map { line in
                    (0..<99).map { words[(99 * line + $0) % words.count] }.joined(separator: " ") + "\n"
                }.joined().utf8)
        }
        for (split, count) in [("train", 25_000), ("valid", 400), ("test", 400)] {
            try text(count).write(to: URL(fileURLWithPath: folder.file("ptb.\(split).txt")))
        }
        let idle = try peak(["list"])
        let training = try peak([
            "train", "--dataset", "ptb", "--data", folder.path, "--cell", "gru", "--bptt", "150", "--epochs", "1",
            "--quiet",
            "--output", folder.file("run"), "--checkpoint-every", "1",
        ])
        #expect(training > 100 && training - idle <= 350, "\(training) MB, of which \(idle) are the idle program's")
    }
}
