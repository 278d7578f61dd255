import ArgumentParser
import RecurrentCore
import RecurrentRuns

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List every plug-in with its options: cells, activations, data sets, optimizers and so on.")

    @Argument(
        help: "Only this kind: cells, activations, datasets, optimizers, schedules, manifolds, skew-inits or backends.")
    var kind: String?

    @Flag(
        help:
            "Also say what each backend runs on here: the processor's instructions and OpenBLAS's kernels, or the GPU.")
    var verbose = false

    private static func word(_ kind: PluginKind) -> String { Flags.flag(kind.rawValue) + "s" }

    func run() throws {
        let known = PluginKind.allCases.map(Self.word)
        if let kind, !known.contains(kind.lowercased()), !known.contains(kind.lowercased() + "s") {
            throw RecurrentError.unknownName(kind: "kind of plug-in", name: kind, known: known)
        }
        for shown in PluginKind.allCases {
            if let kind, ![Self.word(shown), Flags.flag(shown.rawValue)].contains(kind.lowercased()) { continue }
            Terminal.print("\(shown.title) (--\(Flags.flag(shown.rawValue)))")
            let plugins = Registry.current.plugins(shown)
            let width = plugins.map(\.name.count).max() ?? 0
            for plugin in plugins {
                let gap = String(repeating: " ", count: width - plugin.name.count)
                Terminal.print(Terminal.wrapped("  \(plugin.name)\(gap)", plugin.summary, indent: width + 4))
                if verbose, shown == .backend {
                    Terminal.print(Terminal.wrapped("      here:", Self.present(plugin.name), indent: 10))
                }
                // A single kind is shown in full.
                if kind == nil {
                    let flags = plugin.options.map { "--\(Flags.flag($0.name))" }.joined(separator: " ")
                    if !flags.isEmpty { Terminal.print(Terminal.wrapped("", flags, indent: width + 6)) }
                } else {
                    if let details = plugin.details { Terminal.print(Terminal.wrapped("    ", details, indent: 6)) }
                    for option in plugin.options {
                        Terminal.print(
                            Terminal.wrapped("      --\(Flags.flag(option.name))", Self.line(option), indent: 10))
                    }
                }
            }
        }
    }

    /// Returns what a backend runs on here, or why it can't run.
    private static func present(_ backend: String) -> String {
        do {
            return try Registry.current.makeBackend(RunConfiguration(backend: PluginChoice(backend))).summary
        } catch {
            return Flags.translate("\(error)")
        }
    }

    /// Returns the description of an option: `Slope below 0 (in 0...1; default: 0.5)`.
    private static func line(_ option: OptionDescription) -> String {
        let help = option.help.hasSuffix(".") ? String(option.help.dropLast()) : option.help
        // A default that the help text names isn't repeated.
        let standard = help.contains("(default: ") ? "" : "; default: \(option.standard.text)"
        return "\(help) (\(option.kind.requirement)\(standard))"
    }
}
