import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentRuns

/// The command-line tool, for programs that bring their own registry.
public enum CommandLineTool {
    /// The version of the commands and of the files that they write.
    public static let version = PackageVersion.text

    /// Parses the arguments, runs the command, and ends the program.
    ///
    /// Errors are printed as one line on standard error. The exit status is 0 for success, 1 if a run failed, 2 if an
    /// option or argument is wrong, 130 if a run was interrupted, and 141, as after SIGPIPE, if the program that read the
    /// output ended first.
    ///
    /// Standard streams that are closed are opened as `/dev/null`, and SIGPIPE and SIGXFSZ are ignored: what can't be
    /// written ends no run.
    ///
    /// - Parameters:
    ///   - registry: the plug-ins.
    ///   - arguments: the command and its options; nil for the arguments of the program.
    public static func main(_ registry: Registry, arguments: [String]? = nil) -> Never {
        // At Ctrl-\ Swift's runtime would print where each thread is, and go on; this program ends, like any other.
        signal(SIGQUIT, SIG_DFL)
        Interruption.unblock([SIGQUIT])
        Foundation.exit(run(registry, arguments: arguments ?? Array(CommandLine.arguments.dropFirst())))
    }

    /// Parses the arguments, runs the command, and returns the exit status as described at ``main(_:arguments:)``.
    ///
    /// - Parameters:
    ///   - registry: the plug-ins.
    ///   - arguments: the command and its options.
    public static func run(_ registry: Registry, arguments: [String]) -> Int32 {
        StandardStream.prepare()
        return Registry.$current.withValue(registry) {
            do {
                return try GroupMember.run(registry) {
                    do {
                        try GroupMember.agree { try request(arguments) }.perform()
                        try Terminal.checkReader()
                        try StandardStream.checkOutput()
                        return 0
                    } catch {
                        return report(error)
                    }
                }
            } catch {
                return report(error)
            }
        }
    }

    /// Refuses a command that doesn't exist, which would otherwise be taken for an argument of the default one, and options
    /// of a command that are given twice.
    private static func checkCommand(_ arguments: [String]) throws {
        let names = RootCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
        let words = arguments.first == "help" ? arguments.dropFirst() : arguments[...]
        if let word = words.first, !word.hasPrefix("-"), !names.contains(word), word != "help" {
            throw RecurrentError.unknownName(kind: "command", name: word, known: names)
        }
        try SearchCommand.checkPlaces(arguments)
        let commands = RootCommand.configuration.subcommands
        let command = commands.first { $0.configuration.commandName == arguments.first } ?? TrainCommand.self
        try OwnFlags(command).checkRepeated(arguments)
    }

    /// What the arguments ask for.
    enum Request {
        /// A text that is printed, such as the help.
        case text(String)
        case command(any ParsableCommand)

        fileprivate func perform() throws {
            switch self {
            case .text(let text): Terminal.print(text)
            case .command(var command): try command.run()
            }
        }
    }

    private static func request(_ arguments: [String]) throws -> Request {
        try checkCommand(arguments)
        do {
            if let help = try HelpPage.asked(arguments) { return .text(help) }
            var command = try RootCommand.parseAsRoot(arguments)
            if RootCommand.configuration.subcommands.contains(where: { $0 == type(of: command) }) {
                return .command(command)
            }
            // ArgumentParser's own command prints the help.
            try command.run()
            return .text("")
        } catch let error where RootCommand.exitCode(for: error).isSuccess {
            // ArgumentParser throws what --help and --version ask for.
            return .text(RootCommand.fullMessage(for: error))
        }
    }

    /// Prints an error, and returns the exit status.
    ///
    /// - Parameter rank: the process that failed, where that ends others as well.
    static func report(_ error: any Error, from rank: Int? = nil) -> Int32 {
        if let error = error as? RecurrentError {
            Terminal.complain(
                "error: \(rank.map { "rank \($0): " } ?? "")\(oneLine(Flags.translate(error.description)))")
            return error.isOptionMistake ? 2 : 1
        }
        if let failure = error as? GroupFailure {
            let place = failure.isCommon ? "" : "rank \(failure.rank): "
            GroupMember.complain("error: \(place)\(oneLine(Flags.translate(failure.message)))", from: failure.rank)
            return failure.isOption ? 2 : 1
        }
        let code = RootCommand.exitCode(for: error)
        if error is ExitCode { return code.rawValue }
        Terminal.complain("error: \(oneLine(message(error)))")
        return code == .validationFailure ? 2 : 1
    }

    /// Returns the message for an error that ArgumentParser has thrown.
    static func message(_ error: any Error) -> String {
        // It doesn't say what would be right; all values but texts are numbers.
        RootCommand.message(for: error).replacing(/^The value '(.*)' is invalid for '(--[a-z-]+) <.*>'$/) { match in
            let value = String(match.output.1)
            let shown = Double(value) == nil ? "'\(value.excerpt)'" : value.excerpt
            return "\(match.output.2) must be \(requirement(value, of: String(match.output.2))), not \(shown)"
        }
    }

    /// Returns what the value of a command's own option must be, of which ArgumentParser says only that another is invalid.
    private static func requirement(_ value: String, of flag: String) -> String {
        if flag == "--seed" { return OptionKind.seed.requirement }
        guard value.wholeMatch(of: /[+-]?[0-9]+/) != nil else {
            return Double(value) == nil ? "a number" : "a whole number"
        }
        return value.hasPrefix("-") ? "at least 0" : "at most \(Int.max)"
    }

    private static let invisible: Set<Unicode.GeneralCategory> = [
        .control, .format, .lineSeparator, .paragraphSeparator,
    ]

    /// Escapes line breaks, terminal control characters and other invisible ones, which names from a file or command line
    /// may contain.
    private static func oneLine(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let properties = scalar.properties
            if invisible.contains(properties.generalCategory) || properties.isDefaultIgnorableCodePoint {
                result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }
}

struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cli",
        abstract: "Recurrent networks with orthogonal recurrent weights, alongside ordinary ones.",
        version: CommandLineTool.version,
        subcommands: [
            TrainCommand.self, CompareCommand.self, EvaluateCommand.self, GradientsCommand.self, GenerateCommand.self,
            ImportCommand.self, ExportCommand.self,
            ReproduceCommand.self, SearchCommand.self, DataCommand.self, BenchmarkCommand.self, ListCommand.self,
        ],
        defaultSubcommand: TrainCommand.self)
}
