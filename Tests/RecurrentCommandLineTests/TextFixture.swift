import Foundation
import RecurrentCore

/// Small corpora, and models of them.
enum TextFixture {
    /// Writes texts into a folder, each repeated ten times.
    static func corpus(_ folder: TemporaryFolder, _ name: String, _ texts: [String: String]) throws -> String {
        try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
        for (file, text) in texts {
            try Data(String(repeating: text, count: 10).utf8).write(
                to: URL(fileURLWithPath: folder.file("\(name)/\(file)")))
        }
        return folder.file(name)
    }

    static let home = [
        "ptb.train.txt": "the cat sat on the mat\na dog <unk> sat\n", "ptb.valid.txt": "the cat sat\na dog\n",
        "ptb.test.txt": "the dog sat\na cat\n",
    ]

    /// Trains a model of ``home`` in the folder, and returns the path of its run.
    static func train(_ folder: TemporaryFolder, _ more: [String] = []) throws -> String {
        let data = try corpus(folder, "home", home), run = folder.file("run")
        let result = try Tool(
            [
                "--dataset", "ptb", "--data", data, "--cell", "gru", "--embedding-size", "6", "--hidden-size", "5",
                "--batch-size", "4", "--evaluation-batch-size", "2", "--bptt", "7", "--epochs", "1", "--output", run,
                "--quiet",
            ] + more)
        guard result.status == 0 else { throw RecurrentError.dataset(result.errors) }
        return run
    }

    /// Removes entries from the metadata of a file of tensors.
    static func strip(_ path: String, of keys: Set<String>) throws {
        let file = try SafeTensors(path: path)
        var writer = SafeTensorsWriter(metadata: file.metadata.filter { !keys.contains($0.key) })
        for tensor in file.tensors { writer.add(tensor.name, shape: tensor.shape, try file.floats(tensor.name)) }
        try writer.write(to: path)
    }
}
