import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentRuns

/// The commands, for a program with a registry of its own.
public enum CommandLineTool {
    /// The version of the commands and of what they write.
    public static let version = "0.2.0"

    /// Parses the arguments, runs the command, and ends the program.
    ///
    /// Errors print as one line on standard error. Exit status: 0, 1 (a run
    /// failed), 2 (an option or argument is wrong), 130 (interrupted).
    public static func main(_ registry: Registry, arguments: [String]? = nil) -> Never {
        Foundation.exit(run(registry, arguments: arguments ?? Array(CommandLine.arguments.dropFirst())))
    }

    /// As ``main(_:arguments:)``, but returns the exit status.
    public static func run(_ registry: Registry, arguments: [String]) -> Int32 {
        Registry.$current.withValue(registry) {
            do {
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

    private static func report(_ error: any Error) -> Int32 {
        if let error = error as? RecurrentError {
            FileHandle.standardError.write(Data("error: \(oneLine(Flags.translate(error.description)))\n".utf8))
            switch error {
            // A device that isn't there is a wrong choice, too.
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

    /// Names that come from a file or a command line may hold line ends, or what a
    /// terminal takes for a command.
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
        abstract: "Recurrent networks with orthogonal recurrent weights, beside the ordinary ones.",
        version: CommandLineTool.version,
        subcommands: [
            TrainCommand.self, CompareCommand.self, EvaluateCommand.self, GradientsCommand.self, GenerateCommand.self,
            ImportCommand.self,
            ReproduceCommand.self, SearchCommand.self, DataCommand.self, BenchmarkCommand.self, ListCommand.self,
        ],
        defaultSubcommand: TrainCommand.self)
}
