import Foundation
import RecurrentCore

/// A command that starts another command elsewhere, such as `srun -n1 -c2 --exclusive`: it is put in front of the command
/// line of each run, and ends when the run does, with the same exit status.
public struct Launcher: Sendable, CustomStringConvertible {
    /// The path of the program, and its arguments.
    let words: [String]
    /// The text as it was given.
    public let description: String

    /// Reads a command from text, which is split into words as a shell does it, with quotation marks and backslashes;
    /// nothing is expanded.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` if it is empty, a quotation mark isn't closed, or there
    ///   is no such program.
    public init(_ text: String) throws {
        var words = try Self.split(text)
        guard let program = words.first else {
            throw RecurrentError.invalidOption(
                "`launcher` names no command; give one that starts another, such as 'srun -n1 -c2 --exclusive'")
        }
        words[0] = try Self.find(program)
        (self.words, description) = (words, text)
    }

    /// Returns the words of a command line.
    package static func split(_ text: String) throws -> [String] {
        var words: [String] = [], word: String?, quote: Character?
        var rest = text[...]
        while let letter = rest.popFirst() {
            switch letter {
            case _ where letter == quote: quote = nil
            case "\\" where quote != "'":
                guard let next = rest.popFirst() else {
                    throw RecurrentError.invalidOption(
                        "`launcher` ends with a backslash, which stands before the character that it keeps as it is")
                }
                // Within quotation marks, a backslash that protects nothing stands for itself.
                word = (word ?? "") + (quote == nil || "\"\\$`".contains(next) ? "" : "\\") + String(next)
            case "'" where quote == nil, "\"" where quote == nil:
                quote = letter
                word = word ?? ""
            case _ where quote == nil && letter.isWhitespace:
                if let ended = word { words.append(ended) }
                word = nil
            default: word = (word ?? "") + String(letter)
            }
        }
        if let quote {
            throw RecurrentError.invalidOption("`launcher` has a \(quote) that isn't closed: \(text.excerpt)")
        }
        return words + (word.map { [$0] } ?? [])
    }

    /// Returns the path of a program, which is looked up in the folders of PATH unless it has a slash.
    private static func find(_ program: String) throws -> String {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        let places = program.contains("/") ? [program] : folders.map { "\($0)/\(program)" }
        let found = places.first { place in
            var isFolder: ObjCBool = false
            return !program.isEmpty && FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
                && !isFolder.boolValue && FileManager.default.isExecutableFile(atPath: place)
        }
        guard let found else {
            throw RecurrentError.invalidOption(
                "`launcher`: there is no program '\(program.excerpt)'\(program.contains("/") ? "" : " in the folders of PATH"); give one that starts another command, such as srun, with its options"
            )
        }
        return found
    }
}
