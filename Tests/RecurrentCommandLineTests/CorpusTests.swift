import Foundation
import RecurrentCommandLine
import RecurrentCore
import RecurrentRuns
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
            "--batch-size", "4", "--evaluation-batch-size", "2", "--bptt", "7", "--epochs", "2", "--output", "run",
            "--quiet",
        ])
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        try process.run()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: complaint, as: UTF8.self))")

        let words = try String(contentsOfFile: folder.file("run/vocabulary.txt"), encoding: .utf8).split(
            separator: "\n")
        #expect(Set(words) == ["the", "cat", "sat", "on", "mat", "<eos>", "a", "dog"] && words.count == 8)
        let configuration = try JSONDecoder().decode(
            RunConfiguration.self, from: Data(contentsOf: URL(fileURLWithPath: folder.file("run/config.json"))))
        let data = try #require(configuration.dataset["data"]).text
        #expect(data.hasPrefix("/") && data.hasSuffix("/corpus"))
        #expect(configuration.activation?.name == "tanh" && configuration.training.clipRecurrent == 0.25)

        let lines = try metrics(folder.file("run"))
        for line in lines {
            let loss = try #require(line["loss"] as? Double), perplexity = try #require(line["perplexity"] as? Double)
            #expect(abs(perplexity - exp(loss)) < 1e-9 * perplexity && line["accuracy"] == nil)
        }
        // Every split has the loss that training measured, in another process and folder.
        let result = try Tool(["evaluate", folder.file("run"), "--json"])
        #expect(result.status == 0, "\(result.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as! [String: Any]
        #expect(object["perplexity"] as? Double == lines.last?["perplexity"] as? Double)
    }

    private func run(_ folder: TemporaryFolder, text: String) throws -> String {
        for split in ["train", "valid", "test"] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("\(split).txt")))
        }
        let result = try Tool([
            "--dataset", "ptb", "--data", folder.path, "--cell", "gru", "--embedding-size", "6", "--hidden-size", "5",
            "--batch-size", "4", "--evaluation-batch-size", "2", "--bptt", "7", "--epochs", "1", "--output",
            folder.file("run"), "--quiet",
        ])
        #expect(result.status == 0, "\(result.errors)")
        return folder.file("run")
    }

    /// Two spellings that are the same word to a reader and to Swift's == are two words to the
    /// tokenizer and PyTorch.
    @Test func wordsAreTheirBytes() throws {
        let folder = try TemporaryFolder(), words = ["caf\u{E9}", "cafe\u{301}", "cafe\u{301}\u{A0}x"]
        let run = try run(folder, text: String(repeating: "\(words.joined(separator: " ")) y\n", count: 40))
        #expect(try Tool(["evaluate", run]).status == 0)
        #expect(try Tool(["train", "--resume", run, "--epochs", "2", "--quiet"]).status == 0)
        for prompt in words {
            let result = try Tool(["generate", run, "--prompt", "\(prompt) y", "--words", "1"])
            #expect(result.output.utf8.starts(with: "\(prompt) y".utf8), "\(result.errors)")
        }
        // With another order of the words, their numbers must follow the bytes.
        let other = try TemporaryFolder()
        for split in ["train", "valid", "test"] {
            let text = String(repeating: "y \(words[1]) \(words[0])\n", count: 20)
            try Data(text.utf8).write(to: URL(fileURLWithPath: other.file("\(split).txt")))
        }
        #expect(try Tool(["evaluate", run, "--data", other.path]).status == 0)
    }

    /// No loss is better than a loss of no tokens at all.
    @Test func aTextTooShortToEvaluate() throws {
        let folder = try TemporaryFolder()
        let run = try run(folder, text: String(repeating: "a b c\n", count: 10))
        try Data("a b\n".utf8).write(to: URL(fileURLWithPath: folder.file("test.txt")))
        let result = try Tool(["evaluate", run])
        #expect(result.status == 1 && result.output.isEmpty)
        #expect(
            result.errors
                == "error: ptb: its test split is too small for a batch of 2; choose --batch-size 1, or a larger data set\n"
        )
        let single = try Tool(["evaluate", run, "--batch-size", "1", "--json"])
        #expect(try single.object()["count"] as? Int == 2, "\(single.errors)")
    }

    @Test func aTextTooShortToTrain() throws {
        let folder = try TemporaryFolder()
        let run = try run(folder, text: String(repeating: "a b c\n", count: 10))
        for (options, says) in [
            (["--batch-size", "41"], "train split is too small for a batch of 41; choose --batch-size 20 or less"),
            (
                ["--evaluation-batch-size", "21"],
                "valid and test splits are too small for a batch of 21; choose --evaluation-batch-size 20 or less"
            ),
        ] {
            let result = try Tool(
                ["--dataset", "ptb", "--data", folder.path, "--batch-size", "2", "--evaluation-batch-size", "2"]
                    .overridden(by: options))
            #expect(result.status == 1 && result.failedInOneLine && result.errors.contains(says), "\(result.errors)")
        }
        // Advice that leads to the next error is no advice.
        let single = try TemporaryFolder()
        for split in ["train", "valid", "test"] {
            try Data("word\n".utf8).write(to: URL(fileURLWithPath: single.file("\(split).txt")))
        }
        let options = ["--dataset", "ptb", "--data", single.path, "--hidden-size", "3", "--epochs", "1", "--quiet"]
        let refused = try Tool(options)
        #expect(
            refused.errors.hasSuffix(
                "error: ptb: its train split is too small for a batch of 80, its valid and test splits for one of 10; choose --batch-size 1 and --evaluation-batch-size 1, or a larger data set\n"
            ), "\(refused.errors)")
        let followed = try Tool(options + ["--batch-size", "1", "--evaluation-batch-size", "1"])
        #expect(followed.status == 0, "\(followed.errors)")
        // As before the first epoch's end.
        try FileManager.default.removeItem(atPath: run + "/model.safetensors")
        for command in ["evaluate", "generate"] {
            let result = try Tool([command, run])
            #expect(result.failedInOneLine && result.errors.contains("--resume \(run)"), "\(result.errors)")
        }
    }
}
