import ArgumentParser
import RecurrentCore
import RecurrentONNX
import RecurrentRuns

struct ExportCommand: FlagCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write the model of a saved run as ONNX, for onnxruntime and other programs.",
        usage: "cli export <run> <file.onnx> [options]",
        discussion: """
            Layers whose equations are those of ONNX's GRU, RNN or LSTM become these operators; any other becomes a loop \
            (Scan) with the cell's equations. The vocabulary of a language model goes with it.
            """)
    static let scope = FlagScope(kinds: []) { _ in
        "does nothing in export, which takes the run as it is; leave it out"
    }

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var arguments: [String] = []
    @Flag(help: "Take inputs, and give the results for all positions, with the batch as the first axis.")
    var batchFirst = false
    @Flag(help: "Replace the file if it exists.")
    var overwrite = false

    func run() throws {
        let words = try separated().words
        guard words.count >= 2 else {
            throw RecurrentError.invalidOption(
                "export needs a run's folder and the file to write; `--help` shows how to call it")
        }
        if words.count > 2 { throw RecurrentError.invalidOption("unexpected argument '\(words[2])'") }
        let (folder, file) = (words[0], words[1])
        try checkRun(folder)
        guard !file.isEmpty else { throw RecurrentError.invalidOption("the file to write has no name") }
        if RunFolder(opening: folder).owns(file) {
            throw RecurrentError.file(path: file, reason: "is a file of the run itself; choose another file")
        }
        if !overwrite, FileReader.exists(file) {
            throw RecurrentError.file(path: file, reason: "already exists; choose another file, or add `overwrite`")
        }
        let summary = try Self.model(folder).exportONNX(to: file, isBatchFirst: batchFirst)
        var operators: [(name: String, count: Int)] = []
        for name in summary.recurrentOperators {
            if operators.last?.name == name {
                operators[operators.count - 1].count += 1
            } else {
                operators.append((name, 1))
            }
        }
        let names = operators.map { $0.count == 1 ? $0.name : "\($0.count) × \($0.name)" }.joined(separator: ", ")
        Terminal.print(
            "\(file): ONNX, opset \(summary.opset), \(names); inputs \(summary.inputs.joined(separator: ", ")); "
                + "outputs \(summary.outputs.joined(separator: ", "))")
    }

    /// Loads the model of a run, on a backend that runs wherever the program does: it may have been trained on another.
    private static func model(_ folder: String) throws -> TrainedModel {
        let registry = Registry.current, backend = try registry.standard().backend
        return try TrainedModel.load(
            folder, registry: registry, changes: { $0.backend = backend }, backend: registry.makeBackend)
    }
}
