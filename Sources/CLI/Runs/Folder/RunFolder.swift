import Foundation
import RecurrentCore

/// A run's folder: `config.json`, `metrics.jsonl`, `model.safetensors` (the best
/// weights), `state.safetensors` (the last ones, and all that resuming needs),
/// `end.json` (how it ended), and for corpora `vocabulary.txt`.
public struct RunFolder: Sendable {
    /// Where it is.
    public let path: String
    /// Held by the process that trains the run.
    private var lock: FolderLock?

    /// The path of one of its files.
    public func file(_ name: String) -> String { path + "/" + name }

    private static let files = [
        "config.json", "metrics.jsonl", "model.safetensors", "state.safetensors", RunEnd.fileName, VocabularyFile.name,
    ]

    /// Checks that a run may be written to `path`; changes nothing.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if it is no folder, or
    ///   holds files that a run would replace, unless `overwrite`.
    public static func check(_ path: String, overwrite: Bool) throws {
        guard !path.isEmpty else { throw RecurrentError.invalidOption("`output` names no folder") }
        let manager = FileManager.default
        var isFolder: ObjCBool = false
        guard manager.fileExists(atPath: path, isDirectory: &isFolder) else { return }
        guard isFolder.boolValue else {
            throw RecurrentError.file(path: path, reason: "is a file; `output` names a folder")
        }
        if !overwrite, let file = files.first(where: { manager.fileExists(atPath: path + "/" + $0) }) {
            throw RecurrentError.file(
                path: path, reason: "holds a run already (\(file)); choose another `output`, or add `overwrite`")
        }
    }

    /// Makes the folder and writes `config.json` into it, once nothing of another run is
    /// left: where there is one, all else is this run's.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if it holds a run
    ///   already, or can't be written.
    public init(creating path: String, _ configuration: RunConfiguration, overwrite: Bool = false) throws {
        try Self.check(path, overwrite: overwrite)
        self.path = path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw RecurrentError.file(
                path: path, reason: "the folder can't be made; choose an `output` that can be written")
        }
        lock = try FolderLock(path)
        removeUnfinished()
        try replaceOthers(configuration)
    }

    /// A disk without room is found out before anything is removed.
    private func replaceOthers(_ configuration: RunConfiguration) throws {
        let bytes = try Self.encoded(configuration)
        try AtomicFile.write(to: file("config.json")) { output in
            try bytes.withUnsafeBytes { try output.append($0) }
            try removeOthers()
        }
    }

    /// Takes another run away, its `config.json` first.
    private func removeOthers() throws {
        let manager = FileManager.default
        let events = try manager.contentsOfDirectory(atPath: path).filter { $0.hasPrefix(EventFile.prefix) }
        for name in Self.files + events where manager.fileExists(atPath: file(name)) {
            do { try manager.removeItem(atPath: file(name)) } catch {
                throw RecurrentError.file(
                    path: file(name), reason: "is another run's and can't be removed; choose another `output`")
            }
        }
    }

    /// An existing run, to be read.
    public init(opening path: String) { self.path = path }

    /// An existing run, to be resumed.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if there is no
    ///   state of one, ``RecurrentCore/RecurrentError/file(path:reason:)`` if another
    ///   process trains it.
    public init(resuming path: String) throws {
        self.path = path
        _ = try configuration()
        // A run that was stopped before its first checkpoint has neither.
        let manager = FileManager.default
        guard
            manager.fileExists(atPath: file("state.safetensors"))
                || !manager.fileExists(atPath: file("model.safetensors"))
        else {
            throw RecurrentError.checkpoint(
                path: path,
                reason:
                    "has a model, but no state.safetensors to resume from; start a new run from its weights with `from` and another `output`"
            )
        }
        lock = try FolderLock(path)
        removeUnfinished()
    }

    /// What a killed process was writing lies beside the file it would have replaced.
    private func removeUnfinished() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        where name.hasSuffix(".tmp") && Self.files.contains(where: { name.hasPrefix(".\($0).") }) {
            try? FileManager.default.removeItem(atPath: file(name))
        }
    }

    /// Replaces `config.json`.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)``.
    public func write(_ configuration: RunConfiguration) throws {
        try AtomicFile.write(Self.encoded(configuration), to: file("config.json"))
    }

    private static func encoded(_ configuration: RunConfiguration) throws -> [UInt8] {
        try configuration.json(pretty: true) + [10]
    }

    /// The run's configuration, as the file has it; a registry resolves it.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if it is missing,
    ///   damaged, of a later version, or has a value out of range.
    public func configuration() throws -> RunConfiguration {
        guard !path.isEmpty else {
            throw RecurrentError.invalidOption(
                "the run's folder has an empty name; name one that `train --output` wrote")
        }
        guard let data = FileManager.default.contents(atPath: file("config.json")) else {
            throw RecurrentError.checkpoint(
                path: path, reason: "there is no config.json; a run is a folder that `train --output` wrote")
        }
        return try RunConfiguration(json: data, path: file("config.json"))
    }

    /// Reads the best weights so far.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if there are none
    ///   yet, they are damaged, or another model's.
    public func loadModel(into model: SequenceModel) throws {
        let path = file("model.safetensors")
        guard FileManager.default.fileExists(atPath: path) else {
            throw RecurrentError.checkpoint(
                path: self.path,
                reason:
                    "has no model.safetensors, which comes with the first epoch's end; resume it with train --resume \(self.path)"
            )
        }
        try model.load(from: path)
    }

    /// What a model needs of its data to be used elsewhere.
    func writeDataFiles(_ dataset: any Dataset) throws {
        if let tokens = (dataset as? any VocabularyProviding)?.vocabulary { try write(vocabulary: tokens) }
    }

    /// Writes the tokens of a language model, in the order of their ids.
    public func write(vocabulary: [String]) throws {
        try VocabularyFile.write(vocabulary, to: file(VocabularyFile.name))
    }

    /// The run's words in the order of their ids; nil if it isn't a language model's.
    public func vocabulary() throws -> [String]? {
        let path = file(VocabularyFile.name)
        return FileManager.default.fileExists(atPath: path) ? try VocabularyFile.read(path) : nil
    }
}
