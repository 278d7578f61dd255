import Foundation
import RecurrentRuns
import Testing

/// The vocabulary of a model meets texts and files of other people.
struct VocabularyTests {
    private static let lines = ["the cat sat on the mat", "a dog sat", "the bird sang to a zebra", "a cat ran"]

    private func corpus(_ folder: TemporaryFolder, _ name: String, train: [String], test: [String]) throws -> String {
        try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
        for (split, lines) in [("train", train), ("valid", test), ("test", test)] {
            let text = String(repeating: lines.joined(separator: "\n") + "\n", count: 10)
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("\(name)/\(split).txt")))
        }
        return folder.file(name)
    }

    private func train(_ data: String, _ run: String, _ more: [String] = []) throws -> Tool {
        try Tool(
            [
                "--dataset", "ptb", "--data", data, "--cell", "gru", "--embedding-size", "6", "--hidden-size", "5",
                "--batch-size", "4", "--evaluation-batch-size", "2", "--bptt", "7", "--epochs", "3",
                "--learning-rate", "0.05", "--output", run, "--quiet",
            ] + more)
    }

    /// The text beside the test text is of no concern.
    @Test func theModelsVocabularyDecides() throws {
        let folder = try TemporaryFolder(), test = ["the zebra sat", "a bird ran on a unicorn"]
        let home = try corpus(folder, "home", train: Self.lines + ["<unk>"], test: test)
        let other = try corpus(folder, "other", train: ["unicorn the on"], test: test)
        let run = folder.file("run")
        let trained = try train(home, run)
        #expect(trained.status == 0, "\(trained.errors)")
        let here = try Tool(["evaluate", run, "--json"]).object()["loss"] as? Double
        let there = try Tool(["evaluate", run, "--data", other, "--json"]).object()["loss"] as? Double
        #expect(here != nil && here == there)
        // The same for an imported model and a run that starts from it.
        let imported = try Tool([
            "import", run + "/model.safetensors", "--vocabulary", run + "/vocabulary.txt", "--data", other, "--output",
            folder.file("imported"),
        ])
        #expect(imported.status == 0, "\(imported.errors)")
        let again = try Tool(["evaluate", folder.file("imported"), "--batch-size", "2", "--json"]).object()
        let loss = try #require(again["loss"] as? Double)
        #expect(abs(loss - here!) < 1e-9)
        let tuned = try Tool([
            "--from", run, "--data", other, "--epochs", "1", "--output", folder.file("tuned"), "--quiet",
        ])
        #expect(tuned.status == 0, "\(tuned.errors)")
        #expect(
            FileManager.default.contents(atPath: folder.file("tuned/vocabulary.txt"))
                == FileManager.default.contents(atPath: run + "/vocabulary.txt"))
    }

    @Test func aModelWithoutUnknownWordsReadsTheWordsItKnows() throws {
        let folder = try TemporaryFolder()
        let home = try corpus(folder, "home", train: Self.lines, test: ["the zebra sat"])
        let run = folder.file("run")
        #expect(try train(home, run).status == 0)
        #expect(try VocabularyFile.read(run + "/vocabulary.txt").contains("<unk>") == false)
        let known = try corpus(folder, "known", train: ["a cat"], test: ["the zebra sang"])
        let result = try Tool(["evaluate", run, "--data", known])
        #expect(result.status == 0, "\(result.errors)")
        let strange = try corpus(folder, "strange", train: ["a cat"], test: ["the cat", "a lion"])
        let refused = try Tool(["evaluate", run, "--data", strange])
        #expect(
            refused.failedInOneLine && refused.errors.contains("test.txt, line 2:")
                && refused.errors.contains("'lion'"), "\(refused.errors)")
    }

    /// Tokens that no text can have would make its words unknown without a word.
    @Test func tokensThatNoTextHas() throws {
        let folder = try TemporaryFolder(), models = try TorchModels.load(), file = folder.file("list.txt")
        func imported(_ dataset: String, _ words: [String]) throws -> Tool {
            try Data(words.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: file))
            return try Tool([
                "import", TorchModels.path("gru.safetensors"), "--dataset", dataset, "--vocabulary", file, "--output",
                folder.file("run"), "--overwrite",
            ])
        }
        for (token, dataset, says) in [
            (" cat", "ptb", "line 8: ' cat' contains a blank"), ("cat 12", "ptb", "line 8: 'cat 12' contains a blank"),
            ("cat", "ptb-char", "'\(models.words[0])' isn't one character"),
        ] {
            var words = models.words
            words[7] = token
            let result = try imported(dataset, words)
            #expect(result.failedInOneLine && result.errors.contains(says), "\(result.errors)")
        }
        let endless = try imported("ptb", models.words.map { $0 == "<eos>" ? "eos" : $0 })
        #expect(endless.status == 0 && endless.errors.contains("has no <eos>"), "\(endless.errors)")
        let recall = try imported("recall", models.words)
        #expect(
            recall.status == 2 && recall.failedInOneLine && recall.errors.contains("ptb, ptb-char"),
            "\(recall.errors)")
        let help = try Tool(["import", "--help"]).output
        #expect(help.contains("--data <folder>") && help.contains("ptb).") && !help.contains("--symbols"))
    }

    /// Line ends and a byte order mark are no part of a word.
    @Test(arguments: ["\r\n", "\n", "\r"], ["", "\u{FEFF}"]) func vocabularyFiles(end: String, mark: String) throws {
        let folder = try TemporaryFolder(), file = folder.file("words.txt"),
            words = ["the", "cat", "a b", " ", "<eos>"]
        for last in ["", end] {
            try Data((mark + words.joined(separator: end) + last).utf8).write(to: URL(fileURLWithPath: file))
            #expect(try VocabularyFile.read(file) == words)
        }
        let models = try TorchModels.load()
        try models.write(to: folder)
        try Data((mark + models.words.joined(separator: end) + end).utf8).write(to: URL(fileURLWithPath: file))
        let imported = try Tool([
            "import", TorchModels.path("gru.safetensors"), "--vocabulary", file, "--output", folder.file("run"),
        ])
        #expect(imported.status == 0, "\(imported.errors)")
        let text = try Tool(["generate", folder.file("run"), "--prompt", "\(mark)\(models.words[0])", "--words", "5"])
        #expect(text.errors.isEmpty && !text.output.contains("\r"), "\(text.errors)")
    }
}
