import Foundation
import RecurrentCore

/// The folder of a run: `config.json`, `metrics.jsonl`, `model.safetensors` (the best weights), `state.safetensors` (the
/// last weights, and everything else that resuming needs), `end.json` (how the run ended), and for language models
/// `vocabulary.txt`.
public struct RunFolder: Sendable {
    /// The path of the folder.
    public let path: String
    /// The lock that is held while this process trains the run.
    private var lock: FolderLock?

    /// Returns the path of one of the folder's files.
    public func file(_ name: String) -> String { path + "/" + name }

    private static let files = [
        "config.json", "metrics.jsonl", "model.safetensors", "state.safetensors", RunEnd.fileName, VocabularyFile.name,
    ]

    /// Returns whether a path is that of one of the run's own files, however it is written.
    package func owns(_ path: String) -> Bool {
        func place(_ path: String) -> URL { URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL }
        return Self.files.contains { place(file($0)) == place(path) }
    }

    /// Checks that a run may be written to a folder, without changing anything.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if `path` is a file, or if the folder already holds
    ///   a run and `overwrite` is false; ``RecurrentCore/RecurrentError/invalidOption(_:)`` if `path` is empty.
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
                path: path, reason: "already holds a run (\(file)); choose another `output`, or add `overwrite`")
        }
    }

    /// Creates the folder of a new run, with its `config.json`.
    ///
    /// The file is written after all files of a previous run have been removed, so that in a folder with `config.json`
    /// all other files belong to the same run.
    ///
    /// - Parameters:
    ///   - path: the path of the folder.
    ///   - configuration: the configuration of the run.
    ///   - overwrite: whether a run that the folder already holds may be replaced.
    ///   - contents: writes the files of a run that isn't trained. They come before `config.json`, so that a folder whose
    ///     process was killed meanwhile holds no run, rather than one that could be taken for the beginning of a training.
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if the folder already holds a run and `overwrite` is
    ///   false, another process trains that run, or the folder can't be written, and what `contents` throws.
    public init(
        creating path: String, _ configuration: RunConfiguration, overwrite: Bool = false,
        contents: (RunFolder) throws -> Void = { _ in }
    ) throws {
        try Self.check(path, overwrite: overwrite)
        self.path = path
        do {
            try AtomicFile.createFolder(path)
        } catch {
            throw RecurrentError.file(
                path: path, reason: "the folder can't be created; choose an `output` that can be written")
        }
        lock = try FolderLock(path)
        removeUnfinished()
        try replaceOthers(configuration, contents: contents)
    }

    /// Replaces the files of a previous run by the contents of the new one and its `config.json`, but removes nothing if
    /// the disk is full.
    private func replaceOthers(_ configuration: RunConfiguration, contents: (RunFolder) throws -> Void) throws {
        let bytes = try Self.encoded(configuration)
        try AtomicFile.write(to: file("config.json")) { output in
            try bytes.withUnsafeBytes { try output.append($0) }
            try removeOthers()
            try contents(self)
        }
    }

    /// Removes the files of a previous run, beginning with its `config.json`.
    private func removeOthers() throws {
        let manager = FileManager.default
        let events = try manager.contentsOfDirectory(atPath: path).filter { $0.hasPrefix(EventFile.prefix) }
        for name in Self.files + events where manager.fileExists(atPath: file(name)) {
            do { try manager.removeItem(atPath: file(name)) } catch {
                throw RecurrentError.file(
                    path: file(name), reason: "belongs to another run and can't be removed; choose another `output`")
            }
        }
    }

    /// Opens the folder of an existing run for reading.
    public init(opening path: String) { self.path = path }

    /// Opens the folder of an existing run, and locks it, to resume the run.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if it holds no run, or one without the state
    ///   that resuming needs, and ``RecurrentCore/RecurrentError/file(path:reason:)`` if another process trains it.
    public init(resuming path: String) throws {
        self.path = path
        _ = try configuration()
        // A run that was stopped before its first checkpoint has neither file, and starts again.
        guard hasState || !FileManager.default.fileExists(atPath: file("model.safetensors")) else {
            throw RecurrentError.checkpoint(
                path: path,
                reason:
                    "has a model, but no state.safetensors to resume from; start a new run from its weights with `from` and another `output`"
            )
        }
        lock = try FolderLock(path)
        removeUnfinished()
    }

    /// Whether the run has been saved at a checkpoint.
    var hasState: Bool { FileManager.default.fileExists(atPath: file("state.safetensors")) }

    /// Removes the temporary files that a killed process has left behind.
    private func removeUnfinished() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        where name.hasSuffix(".tmp") && Self.files.contains(where: { name.hasPrefix(".\($0).") }) {
            try? FileManager.default.removeItem(atPath: file(name))
        }
    }

    /// Replaces `config.json`.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if it can't be written.
    public func write(_ configuration: RunConfiguration) throws {
        try AtomicFile.write(Self.encoded(configuration), to: file("config.json"))
    }

    private static func encoded(_ configuration: RunConfiguration) throws -> [UInt8] {
        try configuration.json(pretty: true) + [10]
    }

    /// Returns the run's configuration as the file holds it, not resolved by a registry.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if the file is missing or damaged, has a later
    ///   version, or has a value out of range, and ``RecurrentCore/RecurrentError/file(path:reason:)`` if it can't be
    ///   read.
    public func configuration() throws -> RunConfiguration {
        guard !path.isEmpty else {
            throw RecurrentError.invalidOption(
                "the run's folder has an empty name; name one that `train --output` wrote")
        }
        guard FileReader.exists(file("config.json")) else {
            throw RecurrentError.checkpoint(
                path: path,
                reason: "there is no config.json; a run is a folder that `train --output` or `import --output` wrote")
        }
        return try RunConfiguration(file: file("config.json"))
    }

    /// Loads the best weights so far into a model.
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - ofAnyCell: whether they may be those of another cell whose parameters have the same names and shapes.
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if there are none yet, or they are damaged or
    ///   don't fit the model.
    public func loadModel(into model: SequenceModel, ofAnyCell: Bool = false) throws {
        try model.load(from: weightsFile(), ofAnyCell: ofAnyCell)
    }

    /// Returns the path of the best weights so far.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if there are none yet.
    func weightsFile() throws -> String {
        let path = file("model.safetensors")
        guard FileManager.default.fileExists(atPath: path) else {
            let end = try RunEnd(in: self.path), step = end?.step.map { " at step \($0)" } ?? ""
            throw RecurrentError.checkpoint(
                path: self.path,
                reason: end?.reason == .diverged
                    ? "has no model.safetensors, because the run diverged\(step), before its first epoch ended; train it anew with a lower `learningRate`"
                    : "has no model.safetensors, which is written after the first epoch; resume it with train --resume \(self.path.shellWord)"
            )
        }
        return path
    }
}
