import Foundation
import RecurrentCommandLine
import RecurrentCore
import Testing

/// A language model of a tiny corpus, as a run on disk.
struct CorpusTests {
    @Test func aRunFindsItsCorpusFromAnywhere() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("corpus"), withIntermediateDirectories: true)
        for (split, lines) in [("train", 40), ("valid", 12), ("test", 12)] {
            let text = String(repeating: " the cat sat on the mat \n a dog sat \n", count: lines)
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("corpus/ptb.\(split).txt")))
        }
        let (process, _, errors) = Tool.process([
            "--dataset", "ptb", "--data", "corpus", "--cell", "gru", "--embedding-size", "6", "--hidden-size", "5",
            "--batch-size", "4", "--evaluation-batch-size", "2", "--bptt", "7", "--epochs", "2", "--output", "run", "--quiet",
        ])
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        try process.run()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: complaint, as: UTF8.self))")

        let words = try String(contentsOfFile: folder.file("run/vocabulary.txt"), encoding: .utf8).split(separator: "\n")
        #expect(Set(words) == ["the", "cat", "sat", "on", "mat", "<eos>", "a", "dog"] && words.count == 8)
        let configuration = try JSONDecoder().decode(
            RunConfiguration.self, from: Data(contentsOf: URL(fileURLWithPath: folder.file("run/config.json"))))
        #expect(configuration.data?.hasPrefix("/") == true && configuration.data?.hasSuffix("/corpus") == true)
        #expect(configuration.activation == "tanh" && configuration.clipRecurrent == 0.25)

        let lines = try metrics(folder.file("run"))
        for line in lines {
            let loss = try #require(line["loss"] as? Double), perplexity = try #require(line["perplexity"] as? Double)
            #expect(abs(perplexity - exp(loss)) < 1e-9 * perplexity && line["accuracy"] == nil)
        }
        // Every split is what training measured, in another process and folder.
        let result = try Tool(["evaluate", folder.file("run"), "--json"])
        #expect(result.status == 0, "\(result.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as! [String: Any]
        #expect(object["perplexity"] as? Double == lines.last?["perplexity"] as? Double)
    }
}
