import ArgumentParser
import RecurrentCore
import RecurrentRuns

extension Registry {
    /// The registry of the commands that are running.
    @TaskLocal static var current = Registry()
}

/// A command that takes flags of the registry's plug-ins besides its own: those that
/// ArgumentParser doesn't know, in ``arguments``.
protocol FlagCommand: ParsableCommand {
    /// Which of them.
    static var scope: FlagScope { get }
    /// What ArgumentParser doesn't know, in the order in which it was given.
    var arguments: [String] { get }
}

extension FlagCommand {
    static var parser: FlagParser {
        FlagParser(registry: .current, scope: scope) {
            RootCommand.helpMessage(for: Self.self).matches(of: /\n  (?:-\w, )?--([a-z-]+)/).map { String($0.output.1) }
        }
    }

    /// The flags with their values, and the words that stand for themselves.
    func separated() throws -> (flags: [String], words: [String]) { try Self.parser.split(arguments) }

    /// The flags, and the only word that stands for itself.
    ///
    /// - Parameter what: the word, for the message.
    func separated(_ what: String) throws -> (flags: [String], word: String) {
        let (flags, words) = try separated()
        guard let first = words.first else {
            throw RecurrentError.invalidOption(
                "\(Self.configuration.commandName!) needs \(what); `--help` shows how it is called")
        }
        if words.count > 1 { throw RecurrentError.invalidOption("unexpected argument '\(words[1])'") }
        return (flags, first)
    }
}
