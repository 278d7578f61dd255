import Foundation
import Testing

/// A character-level language model, from training to generated text.
struct CharacterTests {
    private func corpus(_ folder: TemporaryFolder) throws {
        for (split, lines) in [("train", 60), ("valid", 12), ("test", 12)] {
            let text = String(repeating: "the cat sat on the mat\na dog sat\n", count: lines)
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("\(split).txt")))
        }
    }

    private func run(_ folder: TemporaryFolder, _ more: [String] = []) throws -> String {
        try corpus(folder)
        let result = try Tool(
            [
                "--dataset", "ptb-char", "--data", folder.path, "--cell", "gru", "--embedding-size", "8",
                "--hidden-size", "24",
                "--batch-size", "8", "--evaluation-batch-size", "4", "--bptt", "10", "--epochs", "12",
                "--learning-rate", "0.01",
                "--output", folder.file("run"),
            ] + more)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("valid bits per character"))
        return folder.file("run")
    }

    @Test func bitsPerCharacter() throws {
        let folder = try TemporaryFolder(), run = try run(folder)
        for line in try metrics(run) {
            let loss = try #require(line["loss"] as? Double), bits = try #require(line["bitsPerCharacter"] as? Double)
            #expect(abs(bits - loss / log(2)) < 1e-12 && line["perplexity"] == nil && line["accuracy"] == nil)
        }
        let object = try Tool(["evaluate", run, "--json"]).object()
        #expect(try object["bitsPerCharacter"] as? Double == metrics(run).last?["bitsPerCharacter"] as? Double)
        #expect(object["perplexity"] == nil)
        let text = try Tool(["evaluate", run]).output
        #expect(text.contains("bits per character 0.") && text.contains(" characters/s"), "\(text)")
    }

    @Test func textOfCharacters() throws {
        let folder = try TemporaryFolder(), run = try run(folder)
        // The text has been learned by heart; several spaces count as one, as in the corpus.
        let greedy = try Tool(["generate", run, "--words", "12", "--prompt", " the  c", "--greedy"])
        #expect(
            greedy.errors.isEmpty && greedy.output.hasPrefix("the cat sat") && !greedy.output.contains("_"),
            "\(greedy.output)")
        // A space at the end of the prompt begins a new word.
        let dog = try Tool(["generate", run, "--words", "8", "--prompt", "a ", "--greedy", "--json"]).object()
        #expect(dog["prompt"] as? [String] == ["a", " "] && dog["text"] as? String == "a dog sat\n")
        #expect(dog["words"] as? [String] == ["d", "o", "g", " ", "s", "a", "t", "<eos>"])
        let lines = try Tool(["generate", run, "--words", "1", "--prompt", "a dog sat\nthe", "--json"]).object()
        #expect((lines["prompt"] as? [String])?.suffix(5) == ["t", "<eos>", "t", "h", "e"])
        let unknown = try Tool(["generate", run, "--prompt", "the zoo"])
        #expect(unknown.failedInOneLine && unknown.errors.contains("the character 'z'"), "\(unknown.errors)")
        // The same with an imported model, as PyTorch could have trained it on characters.
        let imported = try Tool([
            "import", run + "/model.safetensors", "--dataset", "ptb-char", "--vocabulary", run + "/vocabulary.txt",
            "--output", folder.file("other"),
        ])
        #expect(imported.status == 0, "\(imported.errors)")
        #expect(
            try Tool(["generate", folder.file("other"), "--words", "12", "--prompt", "the c", "--greedy"]).output
                == greedy.output)
    }
}
