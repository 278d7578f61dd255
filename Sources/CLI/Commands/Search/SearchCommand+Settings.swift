import ArgumentParser
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns

extension SearchCommand {
    /// Refuses options of `train` before `--`, which ArgumentParser would call unknown, and those of `search` after it, which
    /// it would call missing.
    ///
    /// - Parameter arguments: the command line, beginning with the name of the command.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` naming the option.
    static func checkPlaces(_ arguments: [String]) throws {
        guard arguments.first == configuration.commandName else { return }
        let own = ownFlags(SearchCommand.self)
        for argument in arguments.dropFirst().prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
            let flag = Flags.canonical(argument.dropFirst(2).prefix { $0 != "=" })
            guard !own.contains(flag) else { continue }
            let option = Flags.option(flag.hasPrefix("no-") ? String(flag.dropFirst(3)) : flag)
            if PluginKind(rawValue: option) != nil || !Registry.current.options(named: option).isEmpty {
                throw RecurrentError.invalidOption(
                    "--\(flag) is an option of train, which search takes after --: cli search --try … --output … -- --\(flag) …"
                )
            }
        }
        for argument in arguments.drop(while: { $0 != "--" }).dropFirst() where argument.hasPrefix("--") {
            let flag = argument.dropFirst(2).prefix { $0 != "=" }
            if own.contains(String(flag)), flag != "help" {
                throw RecurrentError.invalidOption("--\(flag) is an option of search itself; give it before --")
            }
        }
    }

    /// Returns the flags that a command itself has, without dashes.
    private static func ownFlags(_ command: any ParsableCommand.Type) -> [String] {
        RootCommand.helpMessage(for: command).matches(of: /\n  (?:-\w, )?--([a-z-]+)/).map { String($0.output.1) }
    }

    /// Returns the search that the options describe.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` and
    ///   ``RecurrentCore/RecurrentError/unknownName(kind:name:known:)`` for a mistake that all points have, or a value that
    ///   no run could have.
    func settings() throws -> SettingsSearch {
        guard !axes.isEmpty else {
            throw RecurrentError.invalidOption(
                "--try names an option and its values, such as --try learning-rate=0.001,0.003")
        }
        guard trials ?? 1 >= 1 else {
            throw RecurrentError.invalidOption("--trials must be at least 1, not \(trials ?? 0)")
        }
        let axes = try self.axes.map { try SearchAxis(text: $0) }
        for axis in axes { try check(axis) }
        let parser = FlagParser(registry: .current)
        try checkShared(axes, parser)
        return try SettingsSearch(axes: axes, trials: trials) { point in
            var configuration = try parser.configuration(options + point, locatesData: !reportOnly)
            configuration.tracking = TrackingConfiguration()
            return configuration
        }
    }

    /// Checks an axis by itself: whether the option can be tried, and whether it could have each of the values.
    private func check(_ axis: SearchAxis) throws {
        let registry = Registry.current, option = Flags.option(axis.option)
        if option == "seed" {
            throw RecurrentError.invalidOption(
                "--try can't try seeds, over which each point's loss is averaged; list them with --seeds 1,2,3")
        }
        if halving, option == "epochs" {
            throw RecurrentError.invalidOption("--halving sets the epochs of each round; leave --epochs out of --try")
        }
        if registry.names(.backend).compactMap(registry.threadsOption).contains(option) {
            throw RecurrentError.invalidOption("search can't try values of --\(axis.option); leave it out of --try")
        }
        if let kind = PluginKind(rawValue: option) {
            let names = registry.names(kind)
            for value in axis.values where !names.contains(where: { $0.lowercased() == value.lowercased() }) {
                throw RecurrentError.unknownName(kind: kind.label, name: value, known: names)
            }
        }
        let known = registry.options(named: option)
        if axis.isSplitAtCommas, axis.values.count > 1, known.contains(where: { $0.kind.isList }) {
            let values = axis.values.joined(separator: "|")
            throw RecurrentError.invalidOption(
                "--try \(axis.option): its values are lists, which have commas themselves; write | between the values, such as '\(axis.option)=\(values)', and a list that every run has after --"
            )
        }
        for value in axis.values where !known.isEmpty {
            // Plug-ins that share the name of an option may have different bounds.
            let accepts = known.contains { (try? $0.kind.parse(value, for: option)) != nil }
            if !accepts { _ = try known[0].kind.parse(value, for: option) }
        }
    }

    /// Checks the options that all runs share against those of the search.
    private func checkShared(_ axes: [SearchAxis], _ parser: FlagParser) throws {
        let own = Self.ownFlags(SearchCommand.self)
        let others = Self.ownFlags(TrainCommand.self).filter { !own.contains($0) && $0 != "help" }
        for word in options where word.hasPrefix("--") {
            let flag = String(word.dropFirst(2).prefix { $0 != "=" })
            if others.contains(flag) {
                throw RecurrentError.invalidOption(
                    "--\(flag) does nothing in search, which starts new runs; leave it out")
            }
        }
        let shared = try parser.options(options)
        if shared.contains("seed") {
            throw RecurrentError.invalidOption("search sets --seed itself, to each of --seeds; leave it out")
        }
        for axis in axes where shared.contains(Flags.option(axis.option)) {
            throw RecurrentError.invalidOption(
                "--\(axis.option) is tried with other values, and given after -- as well; leave one out")
        }
    }
}

extension OptionKind {
    /// Whether the values are lists.
    fileprivate var isList: Bool {
        switch self {
        case .choices, .integers: true
        case .optional(let kind): kind.isList
        default: false
        }
    }
}
