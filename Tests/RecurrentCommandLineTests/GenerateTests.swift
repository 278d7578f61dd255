import Foundation
import RecurrentCommandLine
import RecurrentCore
import Testing

/// Text from a saved run.
struct GenerateTests {
    /// Imports a tiny model and returns its folder.
    private func run(_ folder: TemporaryFolder, _ name: String = "gru") throws -> String {
        try TorchModels.load().write(to: folder)
        let result = try Tool([
            "import", TorchModels.path("\(name).safetensors"), "--vocabulary", folder.file("words.txt"), "--output",
            folder.file("run"),
        ])
        #expect(result.status == 0, "\(result.errors)")
        return folder.file("run")
    }

    @Test func textAndJSONAgree() throws {
        let folder = try TemporaryFolder(), run = try run(folder)
        let flags = ["--words", "40", "--prompt", "the  cat\r\nsat", "--seed", "3"]
        let text = try Tool(["generate", run] + flags), object = try Tool(["generate", run, "--json"] + flags).object()
        #expect(text.status == 0 && text.errors.isEmpty)
        let words = try #require(object["words"] as? [String])
        #expect(words.count == 40 && object["prompt"] as? [String] == ["the", "cat", "<eos>", "sat"])
        #expect((object["tokensPerSecond"] as? Double ?? 0) > 0)
        // Sentences are lines; there are spaces only between words.
        let lines = (["the", "cat", "<eos>", "sat"] + words).split(separator: "<eos>", omittingEmptySubsequences: false)
            .map {
                $0.joined(separator: " ")
            }
        let expected = lines.joined(separator: "\n")
        #expect(object["text"] as? String == expected)
        #expect(text.output == (words.last == "<eos>" ? expected : expected + "\n"))
    }

    @Test(arguments: [[], ["--temperature", "0.7"], ["--top-k", "3"], ["--temperature", "2", "--top-k", "5"]])
    func theSeedDecides(flags: [String]) throws {
        let folder = try TemporaryFolder(), run = try run(folder)
        let first = try Tool(["generate", run, "--words", "60", "--seed", "1"] + flags).output
        #expect(try Tool(["generate", run, "--words", "60"] + flags).output == first)
        #expect(try Tool(["generate", run, "--words", "60", "--threads", "2"] + flags).output == first)
        #expect(try Tool(["generate", run, "--words", "60", "--backend", "reference"] + flags).output == first)
        #expect(try Tool(["generate", run, "--words", "60", "--seed", "2"] + flags).output != first)
    }

    /// Each text is the one that its seed gives alone.
    @Test func severalTextsAtOnce() throws {
        let folder = try TemporaryFolder(), run = try run(folder)
        let flags = ["--words", "30", "--prompt", "the cat", "--temperature", "0.9"]
        let alone = try (5...7).map {
            try Tool(["generate", run, "--seed", "\($0)", "--backend", "reference"] + flags).output
        }
        let together = ["generate", run, "--seed", "5", "--texts", "3", "--backend", "reference"] + flags
        let result = try Tool(together)
        #expect(result.status == 0 && Set(alone).count == 3)
        #expect(result.output == zip(5..., alone).map { "seed \($0):\n\($1)" }.joined(separator: "\n"))
        let object = try Tool(together + ["--json"]).object()
        let texts = try #require(object["texts"] as? [[String: Any]])
        #expect(texts.map { $0["seed"] as? Int } == [5, 6, 7])
        #expect(
            texts.map { ($0["text"] as! String).trimmingCharacters(in: .newlines) }
                == alone.map { $0.trimmingCharacters(in: .newlines) })
        #expect(texts.allSatisfy { ($0["words"] as! [String]).count == 30 })
        for (wrong, name) in [("0", "--texts"), ("10001", "--texts")] {
            let refused = try Tool(["generate", run, "--texts", wrong])
            #expect(refused.failedInOneLine && refused.errors.contains(name))
        }
        #expect(try Tool(["generate", run, "--texts", "2", "--greedy"]).errors.contains("leave out --texts"))
    }

    @Test func oneOfTheLikeliestIsTheLikeliest() throws {
        let folder = try TemporaryFolder(), run = try run(folder)
        #expect(
            try Tool(["generate", run, "--top-k", "1"]).output
                == Tool(["generate", run, "--greedy"]).output)
    }

    /// The reciprocal of such a temperature overflows.
    @Test(arguments: ["1e-39", "1e-300", "5e-324"]) func aVanishingTemperature(temperature: String) throws {
        let folder = try TemporaryFolder(), run = try run(folder)
        let greedy = try Tool(["generate", run, "--greedy"]).output
        for more in [[], ["--top-k", "3"]] {
            let result = try Tool(["generate", run, "--temperature", temperature] + more)
            #expect(result.errors.isEmpty && result.output == greedy)
        }
        #expect(try Tool(["generate", run, "--temperature", "1e300"]).status == 0)
    }

    @Test func unknownWordsOfAPrompt() throws {
        let folder = try TemporaryFolder(), run = try run(folder)
        let result = try Tool(["generate", run, "--prompt", "the zebra sat", "--words", "3"])
        #expect(result.status == 0 && result.output.hasPrefix("the <unk> sat"))
        #expect(result.errors == "warning: the model doesn't know 'zebra'; <unk> stands for it\n")
        let words = try String(contentsOfFile: run + "/vocabulary.txt", encoding: .utf8)
        try Data(words.replacingOccurrences(of: "<unk>", with: "unk").utf8).write(
            to: URL(fileURLWithPath: run + "/vocabulary.txt"))
        // Weights without a checksum take any vocabulary of their size.
        try TextFixture.strip("\(run)/model.safetensors", of: ["vocabulary.txt", "crc32c"])
        let refused = try Tool(["generate", run, "--prompt", "the zebra sat"])
        #expect(refused.failedInOneLine && refused.errors.contains("zebra") && refused.output.isEmpty)
    }

    @Test(arguments: [
        (["--temperature", "0"], "--greedy"), (["--temperature", "-1"], "--temperature"),
        (["--temperature", "nan"], "temperature"),
        (["--top-k", "0"], "top-k"), (["--words", "0"], "--words"), (["--words", "many"], "many"),
        (["--greedy", "--top-k", "3"], "--greedy"), (["--greedy", "--seed", "9"], "--seed"),
        (["--threads", "0"], "threads"), (["--backend", "tpu"], "cpu"), (["--seed", "-1"], "--seed"),
    ])
    func optionsOutOfRange(flags: [String], says: String) throws {
        let folder = try TemporaryFolder(), run = try run(folder)
        let result = try Tool(["generate", run] + flags)
        #expect(
            result.status == 2 && result.failedInOneLine && result.errors.contains(says) && result.output.isEmpty,
            "\(result.errors)")
    }

    @Test func runsThatCantWrite() throws {
        let folder = try TemporaryFolder()
        let none = try Tool(["generate", folder.file("nothing")])
        #expect(none.failedInOneLine && none.errors.contains("config.json"))
        let recall = try Tool([
            "--length", "4", "--train-size", "100", "--epochs", "1", "--quiet", "--output", folder.file("recall"),
        ])
        #expect(recall.status == 0, "\(recall.errors)")
        let result = try Tool(["generate", folder.file("recall")])
        #expect(
            result.failedInOneLine && result.errors.contains("vocabulary.txt") && result.errors.contains("ptb"),
            "\(result.errors)")
        let run = try run(folder)
        try Data("the\ncat\n".utf8).write(to: URL(fileURLWithPath: run + "/vocabulary.txt"))
        let short = try Tool(["generate", run])
        #expect(short.failedInOneLine && short.errors.contains("was saved with"), "\(short.errors)")
    }
}
