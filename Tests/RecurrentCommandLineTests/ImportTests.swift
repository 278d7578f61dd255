import Foundation
import RecurrentCommandLine
import RecurrentCore
import Testing

/// Imports of PyTorch's models as runs.
struct ImportTests {
    static let flags = [
        "gru": [], "gru_tied": [], "lstm": [], "rnn_tanh": ["--activation", "tanh"],
        "rnn_orthogonal": ["--cell", "urnn", "--activation", "relu"],
    ]

    @Test(arguments: flags.keys.sorted(), ["cpu", "reference"])
    func importedModelsGivePyTorchsNumbers(name: String, backend: String) throws {
        let torch = try TorchModels.load(), folder = try TemporaryFolder()
        try torch.write(to: folder)
        let run = folder.file("run"), expected = try #require(torch.models[name])
        let imported = try Tool(
            [
                "import", TorchModels.path("\(name).safetensors"), "--vocabulary", folder.file("words.txt"), "--data",
                folder.file("corpus"), "--output", run, "--backend", backend,
            ] + Self.flags[name]!)
        #expect(imported.status == 0, "\(imported.errors)")
        #expect(
            try String(contentsOfFile: run + "/vocabulary.txt", encoding: .utf8) == torch.words.joined(separator: "\n")
                + "\n")

        // There are two streams, as in the fixture's script.
        var configuration =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: run + "/config.json")))
            as! [String: Any]
        var training = try #require(configuration["training"] as? [String: Any])
        training["evaluationBatchSize"] = 2
        configuration["training"] = training
        try JSONSerialization.data(withJSONObject: configuration).write(to: URL(fileURLWithPath: run + "/config.json"))
        let evaluated = try Tool(["evaluate", run, "--json"])
        let object = try evaluated.object()
        #expect(object["count"] as? Int == expected.count, "\(evaluated.errors)")
        let loss = try #require(object["loss"] as? Double)
        #expect(abs(loss - expected.loss) <= 1e-6 * expected.loss)
        #expect((object["tokensPerSecond"] as? Double ?? 0) > 0)

        let written = try Tool(
            [
                "generate", run, "--greedy", "--words", "\(expected.greedy.count)", "--prompt",
                torch.prompt.joined(separator: " "), "--json",
            ])
        #expect(try written.object()["words"] as? [String] == expected.greedy, "\(written.errors)")
    }

    /// Without a list of words, the corpus's numbering is used.
    @Test func wordsFromTheCorpus() throws {
        let torch = try TorchModels.load(), folder = try TemporaryFolder()
        try torch.write(to: folder)
        let few = try Tool([
            "import", TorchModels.path("gru.safetensors"), "--data", folder.file("corpus"), "--output",
            folder.file("run"),
        ])
        #expect(
            few.failedInOneLine && few.errors.contains("10 tokens") && few.errors.contains("--vocabulary"),
            "\(few.errors)")
        try Data((torch.train + "<pad>\n").utf8).write(to: URL(fileURLWithPath: folder.file("corpus/ptb.train.txt")))
        let result = try Tool([
            "import", TorchModels.path("gru.safetensors"), "--data", folder.file("corpus"), "--output",
            folder.file("run"),
        ])
        #expect(result.status == 0, "\(result.errors)")
        #expect(
            try String(contentsOfFile: folder.file("run/vocabulary.txt"), encoding: .utf8).hasPrefix("the\ncat\nsat\n"))
    }

    @Test func withoutWordsItCanOnlyBeEvaluated() throws {
        let folder = try TemporaryFolder()
        let result = try Tool(["import", TorchModels.path("gru.safetensors"), "--output", folder.file("run")])
        #expect(result.status == 0 && result.output.contains("words are unknown"), "\(result.errors)")
        let written = try Tool(["generate", folder.file("run")])
        #expect(written.failedInOneLine && written.errors.contains("vocabulary.txt"))
    }

    static let refusals: [(arguments: [String], says: [String])] = [
        (["gru.safetensors", "--cell", "ugru"], ["‖WᵀW − I‖", "gru"]),
        (["rnn_tanh.safetensors", "--cell", "urnn", "--activation", "tanh"], ["‖WᵀW − I‖", "'rnn'"]),
        (["rnn_tanh.safetensors"], ["--activation tanh", "--activation relu"]),
        (["rnn_tanh.safetensors", "--cell", "gru"], ["one gate", "gru"]),
        (["gru.safetensors", "--cell", "qrnn"], ["qrnn", "rnn, urnn, gru, ugru"]),
        (["gru.safetensors", "--cell", "lstm"], ["3 gates", "'lstm' has 4"]),
        (["lstm.safetensors", "--cell", "lem"], ["rnn.bias_hh_l0", "'lem'"]),
        (["gru.safetensors", "--activation", "mish"], ["mish", "relu"]),
        (["gru.safetensors", "--dataset", "recall", "--data", "."], ["--data", "recall", "ptb"]),
        (["rnn_tanh.safetensors", "--activation", "modrelu"], ["rnn.modrelu_bias_l0"]),
        (["models.json"], ["models.json"]),
        (["nothing.safetensors"], ["nothing.safetensors"]),
    ]

    @Test(arguments: refusals.indices)
    func whatCantBeImportedLeavesNoFolder(index: Int) throws {
        let (arguments, says) = Self.refusals[index], folder = try TemporaryFolder()
        let result = try Tool(
            ["import", TorchModels.path(arguments[0]), "--output", folder.file("run")] + arguments.dropFirst())
        #expect(result.failedInOneLine, "\(result.errors)")
        for word in says { #expect(result.errors.contains(word), "\(result.errors)") }
        #expect(!FileManager.default.fileExists(atPath: folder.file("run")))
    }

    private static let shapes = [
        "encoder.weight": [9, 4], "rnn.weight_ih_l0": [9, 4], "rnn.weight_hh_l0": [9, 3], "rnn.bias_ih_l0": [9],
        "rnn.bias_hh_l0": [9], "decoder.weight": [9, 3], "decoder.bias": [9],
    ]

    static let flaws: [(without: [String], with: [String: [Int]], says: String)] = [
        ([], [:], ""),
        (["rnn.bias_ih_l0", "decoder.bias"], [:], ""),
        (["encoder.weight"], [:], "has no 'encoder.weight'"),
        (["rnn.weight_hh_l0"], [:], "has no 'rnn.weight_hh_l0'"),
        (["decoder.weight"], [:], "has no 'decoder.weight'"),
        ([], ["encoder.weight": [36]], "not that of a matrix"),
        ([], ["encoder.weight": [9, 0]], "not that of a matrix"),
        ([], ["encoder.weight": [0, 4]], "not that of a matrix"),
        ([], ["encoder.weight": [9, 5]], "reads vectors of 4"),
        ([], ["rnn.weight_hh_l0": [9, 2]], "neither nn.RNN, nn.GRU nor nn.LSTM"),
        ([], ["rnn.weight_ih_l0": [15, 4], "rnn.weight_hh_l0": [15, 3]], "5 gates"),
        ([], ["rnn.weight_ih_l0": [6, 4], "rnn.weight_hh_l0": [6, 3]], "2 gates"),
        ([], ["rnn.bias_hh_l0": [8]], "rnn.bias_hh_l0"),
        ([], ["decoder.weight": [8, 3]], "decoder.weight"),
        ([], ["rnn.weight_hh_l1": [9, 3]], "rnn.weight_ih_l1"),
        ([], ["rnn.weight_hh_l0_reverse": [9, 3]], "bidirectional"),
        ([], ["rnn.weight_hr_l0": [3, 3]], "projection"),
        ([], ["head.weight": [3, 3]], "head.weight"),
        ([], ["two\nlines\u{1B}[2J": [3]], "two\\u{a}lines\\u{1b}[2J"),
    ]

    /// State dicts with missing or additional tensors, or with other shapes.
    @Test(arguments: flaws.indices)
    func stateDictsOfAnotherForm(index: Int) throws {
        let (without, with, says) = Self.flaws[index], folder = try TemporaryFolder()
        var writer = SafeTensorsWriter()
        for (name, shape) in Self.shapes.merging(with, uniquingKeysWith: { $1 }).sorted(by: { $0.key < $1.key })
        where !without.contains(name) {
            writer.add(name, shape: shape, [Float](repeating: 0.1, count: shape.reduce(1, *)))
        }
        try writer.write(to: folder.file("model.safetensors"))
        let result = try Tool(["import", folder.file("model.safetensors"), "--output", folder.file("run")])
        if says.isEmpty {
            #expect(result.status == 0, "\(result.errors)")
        } else {
            #expect(result.failedInOneLine && result.errors.contains(says), "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.file("run")))
        }
    }

    @Test func numbersThatArentFinite() throws {
        let folder = try TemporaryFolder()
        var writer = SafeTensorsWriter()
        for (name, shape) in Self.shapes.sorted(by: { $0.key < $1.key }) {
            writer.add(
                name, shape: shape,
                [Float](repeating: name == "rnn.bias_hh_l0" ? .infinity : 0, count: shape.reduce(1, *)))
        }
        try writer.write(to: folder.file("model.safetensors"))
        let result = try Tool(["import", folder.file("model.safetensors"), "--output", folder.file("run")])
        #expect(result.failedInOneLine && result.errors.contains("rnn.bias_hh_l0") && result.errors.contains("finite"))
    }

    /// Files with random changes, mostly in the header, are refused or accepted, but never cause a crash.
    @Test(arguments: 0..<30)
    func damagedFiles(number: Int) throws {
        let folder = try TemporaryFolder()
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: TorchModels.path("gru.safetensors"))))
        var random = RandomStream(RandomKey(seed: 7, purpose: .test, stream: number))
        for _ in 0..<(1 + number % 4) {
            let place = random.integer(below: number % 3 == 0 ? bytes.count : 700)
            // Digits are replaced by digits, so that shapes and offsets are reached too.
            let isDigit = (0x30...0x39).contains(bytes[place])
            bytes[place] = isDigit ? 0x30 + UInt8(random.integer(below: 10)) : UInt8(random.integer(below: 256))
        }
        if number % 5 == 0 { bytes.removeLast(random.integer(below: bytes.count)) }
        try Data(bytes).write(to: URL(fileURLWithPath: folder.file("model.safetensors")))
        let result = try Tool(["import", folder.file("model.safetensors"), "--output", folder.file("run")])
        #expect(result.status == 0 || result.failedInOneLine, "\(result.status): \(result.errors)")
        #expect(FileManager.default.fileExists(atPath: folder.file("run")) == (result.status == 0))
    }

    @Test(arguments: [
        ("", "is empty"), ("a\nb\n", "2 tokens"), ("a\nb\na\n", "'a' twice, on lines 1 and 3"),
        ("a\n\nb\n", "line 2 is empty"),
    ])
    func listsOfWordsThatDontFit(text: String, says: String) throws {
        let folder = try TemporaryFolder()
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("words.txt")))
        let result = try Tool([
            "import", TorchModels.path("gru.safetensors"), "--vocabulary", folder.file("words.txt"), "--output",
            folder.file("run"),
        ])
        #expect(
            result.failedInOneLine && result.errors.contains(says) && result.errors.contains("words.txt"),
            "\(result.errors)")
    }

    @Test func wordsThatArentText() throws {
        let folder = try TemporaryFolder()
        try Data([0x61, 0x0A, 0xFF, 0x0A]).write(to: URL(fileURLWithPath: folder.file("words.txt")))
        let result = try Tool([
            "import", TorchModels.path("gru.safetensors"), "--vocabulary", folder.file("words.txt"), "--output",
            folder.file("run"),
        ])
        #expect(result.failedInOneLine && result.errors.contains("line 2") && result.errors.contains("UTF-8"))
    }

    @Test func aRunIsNotOverwrittenUnasked() throws {
        let folder = try TemporaryFolder(), file = TorchModels.path("gru.safetensors")
        #expect(try Tool(["import", file, "--output", folder.file("run")]).status == 0)
        #expect(try Tool(["import", file, "--output", folder.file("run")]).errors.contains("--overwrite"))
        #expect(try Tool(["import", file, "--output", folder.file("run"), "--overwrite"]).status == 0)
    }

    /// On another corpus, a run is evaluated with the ids of its own vocabulary.
    @Test func anotherCorpusIsRenumbered() throws {
        let torch = try TorchModels.load(), folder = try TemporaryFolder(), other = try TemporaryFolder()
        try torch.write(to: folder)
        // The same texts, but new words come first, so every id of the corpus differs.
        let reversed = TorchModels(
            words: torch.words, train: "dog mat on <unk>\n" + torch.train, test: torch.test, prompt: torch.prompt,
            models: torch.models)
        try reversed.write(to: other)
        let run = folder.file("run")
        let trained = try Tool([
            "--dataset", "ptb", "--data", folder.file("corpus"), "--cell", "gru", "--embedding-size", "6",
            "--hidden-size", "5",
            "--batch-size", "2", "--evaluation-batch-size", "1", "--epochs", "2", "--output", run, "--quiet",
        ])
        #expect(trained.status == 0, "\(trained.errors)")
        let here = try Tool(["evaluate", run, "--json"]).object(),
            there = try Tool(["evaluate", run, "--data", other.file("corpus"), "--json"]).object()
        #expect(here["loss"] is Double && here["loss"] as? Double == there["loss"] as? Double)
        #expect(here["count"] as? Int == there["count"] as? Int)
    }
}
