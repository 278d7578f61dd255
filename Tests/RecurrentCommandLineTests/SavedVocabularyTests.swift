import Foundation
import RecurrentCore
import RecurrentRuns
import Testing

/// A run's vocabulary.txt, which says what the ids of its weights mean.
struct SavedVocabularyTests {
    /// Calls every command that reads a run's vocabulary.
    private func readers(_ folder: TemporaryFolder, _ run: String) -> [[String]] {
        [
            ["evaluate", run], ["generate", run, "--words", "2"], ["gradients", run, "--samples", "2"],
            ["train", "--resume", run, "--epochs", "2", "--quiet"],
            ["train", "--from", run, "--output", folder.file("tuned"), "--epochs", "1", "--quiet"],
        ]
    }

    @Test(arguments: ["deleted", "reordered", "edited", "shortened", "lengthened"])
    func aChangedVocabularyIsRefused(how: String) throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder), file = run + "/vocabulary.txt"
        var words = try VocabularyFile.read(file)
        let whole = words
        switch how {
        case "deleted": try FileManager.default.removeItem(atPath: file)
        case "reordered": words.swapAt(0, 3)
        case "edited": words[2] = "tiger"
        case "shortened": words.removeLast()
        default: words.append("tiger")
        }
        if how != "deleted" { try VocabularyFile.write(words, to: file) }
        for arguments in readers(folder, run) {
            let result = try Tool(arguments)
            let says =
                how == "deleted"
                ? "error: \(run): has no vocabulary.txt, the words of its model.safetensors; put the run's own file back\n"
                : "error: \(file): isn't the vocabulary that model.safetensors was saved with: its words or their order have changed; put the run's own file back\n"
            #expect(result.status == 1 && result.errors == says, "\(arguments): \(result.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("tuned")))
        try VocabularyFile.write(whole, to: file)
        for arguments in readers(folder, run) {
            let result = try Tool(arguments)
            #expect(result.status == 0, "\(result.errors)")
        }
    }

    /// Before the first epoch's end there is only the state.
    @Test func theStateHasTheChecksumToo() throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder, ["--checkpoint-every", "1"])
        try FileManager.default.removeItem(atPath: run + "/model.safetensors")
        let words = try VocabularyFile.read(run + "/vocabulary.txt")
        try VocabularyFile.write(words.reversed(), to: run + "/vocabulary.txt")
        let result = try Tool(["train", "--resume", run, "--epochs", "2", "--quiet"])
        #expect(result.failedInOneLine && result.errors.contains("that state.safetensors was saved with"))
    }

    /// A program that wrote other line ends has changed no word.
    @Test func lineEndsAreNoWords() throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder), file = run + "/vocabulary.txt"
        let words = try VocabularyFile.read(file)
        try Data("\u{FEFF}\(words.joined(separator: "\r\n"))".utf8).write(to: URL(fileURLWithPath: file))
        for arguments in readers(folder, run) { #expect(try Tool(arguments).status == 0) }
    }

    /// Runs of earlier versions have no checksum.
    @Test func runsWithoutAChecksumAreRead() throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder)
        for name in ["model", "state"] {
            let path = "\(run)/\(name).safetensors"
            #expect(try SafeTensors(path: path).metadata["vocabulary.txt"]?.count == 8)
            try TextFixture.strip(path, of: ["vocabulary.txt", "crc32c"])
        }
        for arguments in readers(folder, run) {
            let result = try Tool(arguments)
            #expect(result.status == 0, "\(result.errors)")
        }
        // What is written from then on has one.
        #expect(try SafeTensors(path: run + "/state.safetensors").metadata["vocabulary.txt"] != nil)
        #expect(try SafeTensors(path: folder.file("tuned/model.safetensors")).metadata["vocabulary.txt"] != nil)
        for name in ["model", "state"] {
            try TextFixture.strip("\(run)/\(name).safetensors", of: ["vocabulary.txt", "crc32c"])
        }
        let file = run + "/vocabulary.txt", words = try VocabularyFile.read(file)
        try VocabularyFile.write(words.dropLast(), to: file)
        let short = try Tool(["evaluate", run])
        #expect(
            short.errors == "error: \(file): holds \(words.count - 1) tokens, but the model has \(words.count)\n",
            "\(short.errors)")
        // A run that is resumed without its words gets those of its data.
        try FileManager.default.removeItem(atPath: file)
        #expect(try Tool(["train", "--resume", run, "--epochs", "3", "--quiet"]).status == 0)
        #expect(try VocabularyFile.read(file) == words)
        #expect(try Tool(["evaluate", run]).status == 0)
        for name in ["model", "state"] {
            try TextFixture.strip("\(run)/\(name).safetensors", of: ["vocabulary.txt", "crc32c"])
        }
        try FileManager.default.removeItem(atPath: run + "/vocabulary.txt")
        let result = try Tool(["generate", run])
        #expect(
            result.errors
                == "error: \(run): has no vocabulary.txt, so its words are unknown; put the run's own file back, or import the model with its --vocabulary\n"
        )
    }

    @Test func anImportedModelHasAChecksum() throws {
        let folder = try TemporaryFolder(), models = try TorchModels.load(), run = folder.file("run")
        try models.write(to: folder)
        let imported = try Tool([
            "import", TorchModels.path("gru.safetensors"), "--vocabulary", folder.file("words.txt"), "--output", run,
        ])
        #expect(imported.status == 0, "\(imported.errors)")
        try VocabularyFile.write(models.words.reversed(), to: run + "/vocabulary.txt")
        let result = try Tool(["generate", run, "--words", "1"])
        #expect(result.failedInOneLine && result.errors.contains("was saved with"), "\(result.errors)")
    }

    /// What is there but can't be read isn't said to be missing.
    @Test func whatCantBeReadIsNotMissing() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        try FileManager.default.createDirectory(atPath: run + "/config.json", withIntermediateDirectories: true)
        let result = try Tool(["evaluate", run])
        #expect(result.errors == "error: \(run)/config.json: is not a regular file\n", "\(result.errors)")
        try FileManager.default.removeItem(atPath: run + "/config.json")
        try FileManager.default.createSymbolicLink(atPath: run + "/config.json", withDestinationPath: "config.json")
        let loop = try Tool(["evaluate", run])
        #expect(loop.failedInOneLine && loop.errors.contains("config.json: too many levels"), "\(loop.errors)")
    }

    /// A killed import must not be taken for a run whose training is yet to begin.
    @Test func anUnfinishedImportIsNoRun() throws {
        struct Killed: Error {}
        let folder = try TemporaryFolder(), run = folder.file("run"), data = try TextFixture.train(folder) + "/../home"
        try FileManager.default.removeItem(atPath: run)
        var configuration = RunConfiguration(cell: "gru", dataset: PluginChoice("ptb", ["data": .text(data)]))
        configuration.training.epochs = 1
        #expect(throws: Killed.self) {
            try RunFolder(creating: run, configuration) { folder in
                try folder.write(vocabulary: ["a", "b"])
                #expect(!FileManager.default.fileExists(atPath: run + "/config.json"))
                throw Killed()
            }
        }
        for arguments in [
            ["train", "--resume", run], ["evaluate", run], ["generate", run], ["train", "--from", run],
        ] {
            let result = try Tool(arguments)
            #expect(
                result.status == 1
                    && result.errors
                        == "error: \(run): there is no config.json; a run is a folder that `train --output` or `import --output` wrote\n",
                "\(result.errors)")
        }
    }
}
