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
        let own = OwnFlags(SearchCommand.self).names
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
        let parser = FlagParser(registry: .current, help: "train --help")
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
        if let reason = Self.fixed(axis.option, option) {
            throw RecurrentError.invalidOption("--try can't try --\(axis.option): \(reason); leave it out of --try")
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
        // Two spellings of one value would be the same run twice.
        let values = axis.values.map { text -> OptionValue in
            known.lazy.compactMap { try? $0.kind.parse(text, for: option) }.first ?? .text(text.lowercased())
        }
        for (index, value) in values.enumerated() {
            guard let other = values[..<index].firstIndex(of: value) else { continue }
            throw RecurrentError.invalidOption(
                "--try \(axis.option): \(axis.values[other]) and \(axis.values[index]) are the same; leave one out")
        }
    }

    /// Returns why an option can't be tried although `train` has it; nil if it can, or if `train` doesn't have it.
    private static func fixed(_ flag: String, _ option: String) -> String? {
        let registry = Registry.current
        if registry.names(.backend).compactMap(registry.threadsOption).contains(option) {
            return "the runs of a search share the processors, by --jobs"
        }
        if TrackingConfiguration.options.contains(where: { $0.name == option }) { return tracksNothing }
        if option == PluginKind.dataset.rawValue { return "losses on different data can't be compared" }
        if option == "checkpointEvery" { return "results don't depend on it" }
        guard OwnFlags(TrainCommand.self).names.contains(flag), flag != "help" else {
            return OwnFlags(SearchCommand.self).names.contains(flag) ? "it is an option of search itself" : nil
        }
        return switch flag {
        case "output": "search gives each run its own folder, inside its --output"
        case "resume", "overwrite": "search resumes runs that it has begun, and starts the others"
        case "config", "from": "every run starts from the options after --, and from weights of its own"
        default: "it changes only what a run prints, and search prints its own progress"
        }
    }

    private static let tracksNothing = "search tracks nothing but the losses of its runs"

    /// Checks the options that all runs share against those of the search.
    private func checkShared(_ axes: [SearchAxis], _ parser: FlagParser) throws {
        let own = OwnFlags(SearchCommand.self).names
        let others = OwnFlags(TrainCommand.self).names.filter { !own.contains($0) && $0 != "help" }
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
        if let name = shared.first(where: { name in TrackingConfiguration.options.contains { $0.name == name } }) {
            throw RecurrentError.invalidOption("`\(name)` does nothing here: \(Self.tracksNothing); leave it out")
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
