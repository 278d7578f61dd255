import Foundation
import RecurrentRuns
import Testing

/// Texts with words that a model doesn't know, and folders with a part of a corpus.
struct UnknownWordsTests {
    /// A perplexity over words that were all read as `<unk>` must not be taken for a good one.
    @Test func evaluateSaysHowManyThereAre() throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder)
        let own = try Tool(["evaluate", run])
        #expect(own.status == 0 && !own.output.contains("vocabulary"), "\(own.output)")
        // Of 5 tokens in a line, `sat` and <eos> are known, as is the text's own <unk>.
        let other = try TextFixture.corpus(folder, "other", ["test.txt": "der kater sat <unk>\n"])
        let result = try Tool(["evaluate", run, "--data", other])
        #expect(
            result.output.contains(
                "\n20 of 50 tokens (40.00 %) aren't in the model's vocabulary; they were read as <unk>"),
            "\(result.output)\(result.errors)")
        let object = try Tool(["evaluate", run, "--data", other, "--json"]).object()
        #expect(object["unknownTokenCount"] as? Int == 20 && object["tokenCount"] as? Int == 50)
        let recall = try Tool([
            "--length", "8", "--train-size", "200", "--valid-size", "100", "--test-size", "100", "--epochs", "1",
            "--output", folder.file("recall"), "--quiet",
        ])
        #expect(recall.status == 0, "\(recall.errors)")
        #expect(try Tool(["evaluate", folder.file("recall"), "--json"]).object()["tokenCount"] == nil)
    }

    @Test func trainSaysItOnce() throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder)
        let other = try TextFixture.corpus(
            folder, "other",
            ["train.txt": "der kater sat on\n", "valid.txt": "the cat\n", "test.txt": "der mat sat on the\n"])
        let result = try Tool(["--from", run, "--data", other, "--epochs", "2"])
        let says =
            "not in the vocabulary, read as <unk>: train 20 of 50 tokens (40.00 %), test 10 of 60 tokens (16.67 %)\n"
        #expect(result.output.split(separator: says, omittingEmptySubsequences: false).count == 2, "\(result.output)")
        let imported = try Tool([
            "import", run + "/model.safetensors", "--vocabulary", run + "/vocabulary.txt", "--data", other, "--output",
            folder.file("imported"),
        ])
        #expect(imported.status == 0 && imported.output.hasPrefix(says), "\(imported.output)\(imported.errors)")
        let quiet = try Tool(["--from", run, "--data", other, "--epochs", "1", "--quiet"])
        #expect(quiet.status == 0 && quiet.output.isEmpty && quiet.errors.isEmpty, "\(quiet.errors)")
    }

    /// Only the text that is used needs to be there, and be readable with the model's vocabulary.
    @Test func onlyTheSplitThatIsEvaluatedIsRead() throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder)
        let whole = try Tool(["evaluate", run, "--json"]).object()["loss"] as? Double
        let test = ["ptb.test.txt": TextFixture.home["ptb.test.txt"]!]
        let only = try TextFixture.corpus(folder, "only", test)
        for split in ["test", "TEST"] {
            let result = try Tool(["evaluate", run, "--data", only, "--split", split, "--json"])
            let object = try result.object()
            #expect(object["loss"] as? Double == whole && object["split"] as? String == "test", "\(result.errors)")
        }
        let missing = try Tool(["evaluate", run, "--data", only, "--split", "valid"])
        #expect(
            missing.failedInOneLine && missing.errors.contains("ptb.valid.txt") && !missing.errors.contains("train"),
            "\(missing.errors)")
        #expect(try Tool(["gradients", run, "--data", only, "--split", "Test", "--samples", "2"]).status == 0)
        // Without <unk>, a stranger in a text that isn't used is of no concern.
        let known = ["train.txt": "a cat\n", "valid.txt": "a cat\n", "test.txt": "the cat\n"]
        let strict = try TemporaryFolder()
        let data = try TextFixture.corpus(strict, "data", known.mapValues { $0 + "the\n" })
        let trained = try Tool([
            "--dataset", "ptb", "--data", data, "--cell", "gru", "--embedding-size", "4", "--hidden-size", "4",
            "--batch-size", "2", "--evaluation-batch-size", "2", "--epochs", "1", "--output", strict.file("run"),
            "--quiet",
        ])
        #expect(trained.status == 0, "\(trained.errors)")
        let strange = try TextFixture.corpus(
            strict, "strange", ["train.txt": "a lion\n", "valid.txt": "<unk>\n", "test.txt": "the cat\n"])
        #expect(try Tool(["evaluate", strict.file("run"), "--data", strange]).status == 0)
        let lion = try Tool(["evaluate", strict.file("run"), "--data", strange, "--split", "train"])
        #expect(lion.failedInOneLine && lion.errors.contains("neither the word 'lion' nor <unk>"), "\(lion.errors)")
        let unknown = try Tool(["evaluate", strict.file("run"), "--data", strange, "--split", "valid"])
        #expect(
            unknown.errors.hasSuffix("valid.txt, line 1: the model's vocabulary has no <unk>, which the text has\n"),
            "\(unknown.errors)")
    }

    /// Choices are read alike, in whatever case they are written.
    @Test(arguments: [
        ["evaluate", "RUN", "--split", "tset"], ["gradients", "--split", "tset"],
        ["reproduce", "table1", "--output", "nowhere", "--scale", "smok"],
        ["reproduce", "tabel1", "--output", "nowhere"],
        ["data", "pbt", "--output", "nowhere"], ["reproduce", "table4", "--output", "nowhere", "--models", "grru"],
    ])
    func aWrongChoiceIsToldWhatIsRight(arguments: [String]) throws {
        let result = try Tool(arguments)
        #expect(result.status == 2 && result.failedInOneLine, "\(result.errors)")
        #expect(result.errors.contains("choose from: ") && result.errors.contains("did you mean"), "\(result.errors)")
    }

    @Test func casesDontMatter() throws {
        let result = try Tool([
            "gradients", "--split", "VALID", "--length", "6", "--hidden-size", "4", "--cell", "GRU", "--backend", "CPU",
            "--samples", "2",
        ])
        #expect(result.status == 0, "\(result.errors)")
        // Both names are read before the seeds are.
        let table = try Tool(["reproduce", "Table1", "--scale", "PAPER", "--seeds", "x", "--output", "nowhere"])
        #expect(table.failedInOneLine && table.errors.contains("seeds"), "\(table.errors)")
    }
}
