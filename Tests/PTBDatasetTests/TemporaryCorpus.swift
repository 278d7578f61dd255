import Foundation

/// A directory of texts that is removed with the object.
final class TemporaryCorpus {
    let directory: String

    init(_ texts: [String: String]) throws {
        directory = NSTemporaryDirectory() + "corpus-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for (name, text) in texts { try write(Data(text.utf8), to: name) }
    }

    convenience init(train: String, valid: String, test: String) throws {
        try self.init(["ptb.train.txt": train, "ptb.valid.txt": valid, "ptb.test.txt": test])
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func write(_ data: Data, to name: String) throws {
        try data.write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
    }
}
