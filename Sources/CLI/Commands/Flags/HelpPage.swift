import ArgumentParser
import RecurrentCore
import RecurrentRuns

/// The help of a command that accepts flags of the registry: ArgumentParser's page, with the groups of these flags inserted
/// before its options.
enum HelpPage {
    /// Returns the page that a command line asks for; nil if it asks for none, or for one that is ArgumentParser's alone.
    ///
    /// Flags next to `--help` choose the plug-ins whose options are shown.
    static func asked(_ arguments: [String]) throws -> String? {
        var words = Array(arguments.prefix { $0 != "--" })
        let isHelpCommand = words.first == "help"
        guard isHelpCommand || words.contains("--help") || words.contains("-h") else { return nil }
        if isHelpCommand { words.removeFirst() }
        words.removeAll { $0 == "--help" || $0 == "-h" }
        let names = RootCommand.configuration.subcommands.compactMap { $0 as? any FlagCommand.Type }
        guard let command = names.first(where: { $0.configuration.commandName == words.first }) else {
            // Flags without a command are those of train.
            return words.first?.hasPrefix("--") == true && !isHelpCommand ? try text(TrainCommand.self, words) : nil
        }
        return try text(command, Array(words.dropFirst()))
    }

    private static func text(_ command: any FlagCommand.Type, _ arguments: [String]) throws -> String {
        let registry = Registry.current, width = Terminal.width
        let chosen = chosenPlugins(arguments)
        let namesDataset = chosen.contains { $0 == "--dataset" || $0.hasPrefix("--dataset=") }
        let standard = try namesDataset ? nil : command.standardDataset.map { try registry.standard(dataset: $0) }
        let configuration = try FlagParser(registry: registry).configuration(chosen, onto: standard, locatesData: false)
        let groups = FlagHelp(registry: registry, scope: command.scope, configuration: configuration, width: width).text
        let page = RootCommand.helpMessage(for: command, columns: width)
        let more =
            !command.scope.kinds.contains(.cell)
            ? "" : "\nAdd --cell or --dataset NAME to --help for its options; `list` names all."
        guard let options = page.range(of: "\n\nOPTIONS:") else { return page + "\n" + groups + more }
        return page[..<options.lowerBound] + (groups.isEmpty ? "" : "\n\n" + groups) + page[options.lowerBound...]
            + more
    }

    /// Returns only the flags that choose plug-ins, with their values.
    private static func chosenPlugins(_ arguments: [String]) -> [String] {
        let flags = Set(PluginKind.allCases.map { "--" + Flags.flag($0.rawValue) })
        var result: [String] = []
        for (index, argument) in arguments.enumerated() {
            let name = argument.prefix { $0 != "=" }
            guard flags.contains(String(name)) else { continue }
            if argument.contains("=") {
                result.append(argument)
            } else if index + 1 < arguments.count {
                result += [argument, arguments[index + 1]]
            }
        }
        return result
    }
}
