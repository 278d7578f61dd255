import Foundation
import Testing

/// Exports of runs as ONNX.
struct ExportTests {
    private static let small = [
        "--length", "6", "--train-size", "50", "--valid-size", "20", "--test-size", "20", "--hidden-size", "7",
        "--embedding-size", "5", "--batch-size", "10", "--epochs", "1", "--quiet",
    ]

    @Test(arguments: [
        (["--cell", "ugru", "--layers", "2"], "2 × GRU", "initial_h [2, batch, 7]"),
        (["--cell", "urnn", "--activation", "abs"], "Scan", "initial_h [1, batch, 7]"),
        (["--cell", "rnn"], "RNN", "initial_h [1, batch, 7]"),
    ])
    func oneLineSaysWhatWasWritten(flags: [String], operators: String, states: String) throws {
        let folder = try TemporaryFolder(), run = folder.file("run"), file = folder.file("model.onnx")
        #expect(try Tool(["train", "--output", run] + flags + Self.small).status == 0)
        let result = try Tool(["export", run, file])
        let final = states.replacing("initial", with: "final")
        #expect(
            result.output
                == "\(file): ONNX, opset 17, \(operators); inputs tokens [sequence, batch], \(states); outputs logits [batch, 10], \(final)\n",
            "\(result.errors)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count > 1000)
    }

    @Test func languageModelsNeedNoCorpus() throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder), file = folder.file("model.onnx")
        try FileManager.default.removeItem(atPath: folder.file("home"))
        let result = try Tool(["export", run, file, "--batch-first"])
        #expect(result.status == 0 && result.output.contains("tokens [batch, sequence]"), "\(result.errors)")
        #expect(result.output.contains("logits [batch, sequence, 9]"), "\(result.output)")
        let bytes = String(decoding: try Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self)
        #expect(bytes.contains(#"["the","cat","sat","on","mat""#))
    }

    @Test func aFileIsNotReplacedUnasked() throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder), file = folder.file("model.onnx")
        try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
        let refused = try Tool(["export", run, file])
        #expect(refused.failedInOneLine && refused.errors.contains("--overwrite"), "\(refused.errors)")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
        #expect(try Tool(["export", run, file, "--overwrite"]).status == 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count > 1000)
    }

    @Test(arguments: [
        (["run"], "the file to write"), ([], "a run's folder"), (["run", "a.onnx", "b.onnx"], "b.onnx'"),
        (["run", "a.onnx", "--cell", "gru"], "--cell does nothing in export"), (["nothing", "a.onnx"], "nothing"),
        (["run/config.json", "a.onnx"], "such as"),
        (["run", "a.onnx", "--data", "home"], "--data does nothing in export"),
        (["run", "missing/a.onnx"], "missing/a.onnx"),
        (["run", "run", "--overwrite"], "not a regular file"),
        (["run", "run/model.safetensors", "--overwrite"], "is a file of the run itself"),
        (["run", "run/../run/config.json", "--overwrite"], "is a file of the run itself"),
    ])
    func refusals(arguments: [String], says: String) throws {
        let folder = try TemporaryFolder()
        _ = try TextFixture.train(folder)
        let names = arguments.map { $0.hasPrefix("-") || $0 == "gru" ? $0 : folder.file($0) }
        let result = try Tool(["export"] + names)
        #expect(result.failedInOneLine, "\(result.errors)")
        #expect(result.errors.contains(says) || result.errors.contains(folder.file(says)), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("a.onnx")))
    }
}
