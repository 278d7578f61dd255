import Foundation
import RecurrentCore

/// Tiny language models of PyTorch with their results on a text; see
/// `Fixtures/generate.py`.
struct TorchModels: Decodable {
    struct Model: Decodable {
        let loss: Double
        let count: Int
        let greedy: [String]
    }
    let words: [String]
    let train: String
    let test: String
    let prompt: [String]
    let models: [String: Model]

    static func load() throws -> TorchModels {
        try JSONDecoder().decode(TorchModels.self, from: Data(contentsOf: URL(fileURLWithPath: path("models.json"))))
    }

    static func path(_ name: String) -> String {
        Bundle.module.path(forResource: "Fixtures", ofType: nil)! + "/" + name
    }

    /// Writes the corpus and the list of words into a folder.
    func write(to folder: TemporaryFolder) throws {
        try FileManager.default.createDirectory(atPath: folder.file("corpus"), withIntermediateDirectories: true)
        for (split, text) in [("train", train), ("valid", test), ("test", test)] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("corpus/ptb.\(split).txt")))
        }
        try Data((words.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: folder.file("words.txt")))
    }
}

extension Tool {
    /// Returns the one JSON object that the program printed.
    func object() throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
    }

    /// Whether the program failed as it should, with the right status and one line.
    var failedInOneLine: Bool {
        status == 1 || status == 2
            ? errors.hasPrefix("error: ") && errors.hasSuffix("\n") && !errors.dropLast().contains("\n") : false
    }
}
