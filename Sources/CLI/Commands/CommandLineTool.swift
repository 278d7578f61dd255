import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentRuns

/// The command-line tool, for programs that bring their own registry.
public enum CommandLineTool {
    /// The version of the commands and of the files that they write.
    public static let version = "0.2.0"

    /// Parses the arguments, runs the command, and ends the program.
    ///
    /// Errors are printed as one line on standard error. The exit status is 0 for success, 1 if a run failed, 2 if an
    /// option or argument is wrong, and 130 if a run was interrupted.
    ///
    /// - Parameters:
    ///   - registry: the plug-ins.
    ///   - arguments: the command and its options; nil for the arguments of the program.
    public static func main(_ registry: Registry, arguments: [String]? = nil) -> Never {
        Foundation.exit(run(registry, arguments: arguments ?? Array(CommandLine.arguments.dropFirst())))
    }

    /// Parses the arguments, runs the command, and returns the exit status as described at ``main(_:arguments:)``.
    ///
    /// - Parameters:
    ///   - registry: the plug-ins.
    ///   - arguments: the command and its options.
    public static func run(_ registry: Registry, arguments: [String]) -> Int32 {
        Registry.$current.withValue(registry) {
            do {
                try checkCommand(arguments)
                if let help = try HelpPage.asked(arguments) {
                    Terminal.print(help)
                } else {
                    var command = try RootCommand.parseAsRoot(arguments)
                    try command.run()
                }
                try Terminal.checkOutput()
                return 0
            } catch {
                return report(error)
            }
        }
    }

    /// Refuses a command that doesn't exist, which would otherwise be taken for an argument of the default one.
    private static func checkCommand(_ arguments: [String]) throws {
        let names = RootCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
        let words = arguments.first == "help" ? arguments.dropFirst() : arguments[...]
        if let word = words.first, !word.hasPrefix("-"), !names.contains(word), word != "help" {
            throw RecurrentError.unknownName(kind: "command", name: word, known: names)
        }
        try SearchCommand.checkPlaces(arguments)
    }

    private static func report(_ error: any Error) -> Int32 {
        if let error = error as? RecurrentError {
            FileHandle.standardError.write(Data("error: \(oneLine(Flags.translate(error.description)))\n".utf8))
            switch error {
            // A device that isn't available counts as a wrong option.
            case .unknownName, .invalidOption, .backend: return 2
            default: return 1
            }
        }
        let code = RootCommand.exitCode(for: error)
        if code.isSuccess {
            Terminal.print(RootCommand.fullMessage(for: error))
            return 0
        }
        if error is ExitCode { return code.rawValue }
        FileHandle.standardError.write(Data("error: \(RootCommand.message(for: error))\n".utf8))
        return code == .validationFailure ? 2 : 1
    }

    /// Escapes line breaks and terminal control characters, which names from a file or command line may contain.
    private static func oneLine(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator:
                result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            default: result.append(scalar)
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
            ImportCommand.self,
            ReproduceCommand.self, SearchCommand.self, DataCommand.self, BenchmarkCommand.self, ListCommand.self,
        ],
        defaultSubcommand: TrainCommand.self)
}
