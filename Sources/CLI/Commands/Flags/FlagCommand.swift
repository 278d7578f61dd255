import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentRuns

extension Registry {
    /// The registry of the commands that are running.
    @TaskLocal static var current = Registry()
}

/// A command that accepts flags of the registry besides its own; ArgumentParser, which doesn't know them, leaves them in
/// ``arguments``.
protocol FlagCommand: ParsableCommand {
    /// The flags of the registry that the command accepts.
    static var scope: FlagScope { get }
    /// The data set whose defaults the help shows if no other is named; nil for that of a new run.
    static var standardDataset: String? { get }
    /// The arguments that ArgumentParser doesn't know, in the given order.
    var arguments: [String] { get }
}

extension FlagCommand {
    static var standardDataset: String? { nil }

    static var parser: FlagParser {
        FlagParser(registry: .current, scope: scope) { OwnFlags(Self.self).names }
    }

    /// Returns the flags with their values, and the words that aren't flags.
    func separated() throws -> (flags: [String], words: [String]) { try Self.parser.split(arguments) }

    /// Returns the flags with their values, and the single word that isn't a flag.
    ///
    /// - Parameter what: what the word stands for, for the message if it is missing.
    func separated(_ what: String) throws -> (flags: [String], word: String) {
        let (flags, words) = try separated()
        guard let first = words.first else {
            throw RecurrentError.invalidOption(
                "\(Self.configuration.commandName!) needs \(what); `--help` shows how to call it")
        }
        if words.count > 1 { throw RecurrentError.invalidOption("unexpected argument '\(words[1])'") }
        return (flags, first)
    }

    /// Returns the flags with their values, and the folder of a run.
    func separatedRun() throws -> (flags: [String], folder: String) {
        let (flags, folder) = try separated("a run's folder")
        try checkRun(folder)
        return (flags, folder)
    }

    /// Refuses a file, such as one of a run's, in place of the run's folder.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` naming the folder that was probably meant.
    func checkRun(_ path: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else { return }
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().relativePath
        throw RecurrentError.invalidOption(
            "\(path) is a file; name the folder of a run"
                + (FileReader.exists(parent + "/config.json") ? ", such as \(parent)" : ""))
    }
}
