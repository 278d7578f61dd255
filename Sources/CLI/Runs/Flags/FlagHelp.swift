import RecurrentCore

/// The part of a command's help that depends on the registry: the plug-ins, their options, and those of every run.
public struct FlagHelp {
    private let registry: Registry
    private let scope: FlagScope
    private let configuration: RunConfiguration
    private let width: Int

    /// Creates the help of a command.
    ///
    /// - Parameters:
    ///   - registry: the plug-ins.
    ///   - scope: the flags that the command accepts.
    ///   - configuration: the plug-ins whose options are shown, and the values that are shown as defaults.
    ///   - width: the number of columns; at least 20 are used.
    public init(registry: Registry, scope: FlagScope, configuration: RunConfiguration, width: Int) {
        self.registry = registry
        self.scope = scope
        self.configuration = configuration
        self.width = max(width, 20)
    }

    /// The names of the options that are refused beside these plug-ins.
    private var idle: Set<String> {
        var configuration = configuration
        // A dropout rate can be given together with the options that need one.
        if configuration.model.dropout == 0 { configuration.model.dropout = 0.5 }
        // A command that trains several cells refuses what none of them uses.
        let cells = scope.fixed.contains(.cell) ? registry.names(.cell) : [configuration.cell.name]
        let sets = cells.map { cell in
            if cell != configuration.cell.name { configuration.cell = PluginChoice(cell) }
            return Set(((try? registry.idleReasons(in: configuration)) ?? [:]).keys)
        }
        return sets.dropFirst().reduce(sets[0]) { $0.intersection($1) }
    }

    /// The help in groups of options: common ones first, then those of each plug-in under its name. What these plug-ins
    /// don't use is left out.
    public var text: String {
        let idle = idle, kinds = scope.kinds.filter { !idle.contains($0.rawValue) }
        var groups: [(title: String, lines: [String])] = [
            ("PLUG-INS", kinds.filter { !scope.fixed.contains($0) }.map(chooser))
        ]
        for section in SectionAccess.all {
            let values = section.values(configuration)
            let options = section.options.filter {
                scope.contains($0.name, registry: registry) && !idle.contains($0.name)
            }
            groups.append((section.title.uppercased(), options.map { line($0, standard: values[$0.name]!) }))
        }
        groups.append(("DATA", folders))
        // The single general option joins the first group.
        if let general = groups.lastIndex(where: { $0.title == "GENERAL" }) {
            groups[0].lines += groups.remove(at: general).lines
        }
        for kind in kinds {
            guard let choice = configuration[kind], let entry = registry.entry(kind, choice.name),
                !entry.options.isEmpty
            else { continue }
            groups.append(
                (
                    "\(kind.label.uppercased()) \(entry.name)",
                    entry.options.map { line($0, standard: choice[$0.name] ?? $0.standard) }
                ))
        }
        return groups.filter { !$0.lines.isEmpty }.map { "\($0.title):\n" + $0.lines.joined(separator: "\n") }.joined(
            separator: "\n\n")
    }

    private func chooser(_ kind: PluginKind) -> String {
        let names = registry.names(kind).filter {
            kind != .dataset || !scope.needsVocabulary || registry.hasVocabulary($0)
        }
        let standard = scope.defaults[kind] ?? configuration[kind]?.name
        let chosen = standard.map { " (default: \($0))" } ?? ""
        return entry("--\(Flags.flag(kind.rawValue)) <name>", names.joined(separator: ", ") + chosen + ".")
    }

    /// The folders of data that can be given although no data set can be chosen.
    private var folders: [String] {
        guard scope.takesData, !scope.kinds.contains(.dataset) else { return [] }
        let options = registry.plugins(.dataset).flatMap(\.options).filter(\.kind.isPath)
        let names = options.map(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return names.map { name in
            let word = options.first { $0.name == name }!.kind.placeholder
            return entry(
                "--\(Flags.flag(name)) <\(word)>", "Another \(word) of the run's data set (default: the run's).")
        }
    }

    private func line(_ option: OptionDescription, standard: OptionValue) -> String {
        let flag = Flags.flag(option.name)
        var help = option.help
        let choices: String =
            switch option.kind {
            case .choice(let names), .choices(let names): ": " + names.joined(separator: ", ")
            default: ""
            }
        if help.hasSuffix(".") { help.removeLast() }
        // A default that the help text names is that of options without a value.
        if standard != .null, let named = help.range(of: " (default: ") { help.removeSubrange(named.lowerBound...) }
        // A default that goes without saying, or that the help text names, is left out.
        let isPlain = standard == .flag(false) || (standard == .null && option.kind != .flag)
        help +=
            choices + (isPlain ? "" : " (default: \(standard == .flag(true) ? "yes" : standard.text))") + "."
        switch option.kind {
        case .flag: return entry("--\(flag)\(standard == .flag(true) ? " / --no-\(flag)" : "")", help)
        case .choice, .choices: return entry("--\(flag) <name>", help)
        default: return entry("--\(flag) <\(option.kind.placeholder)>", help)
        }
    }

    /// Returns a flag and its help, wrapped to the width.
    private func entry(_ flag: String, _ help: String) -> String {
        // On a narrow terminal, the help stands under the flag.
        let indent = width < 60 ? 6 : 30
        var lines = ["  " + flag]
        if lines[0].count < indent {
            lines[0] += String(repeating: " ", count: indent - lines[0].count)
        } else {
            lines.append(String(repeating: " ", count: indent))
        }
        var isFirst = true
        for word in help.split(separator: " ") {
            if lines[lines.count - 1].count + word.count + 1 > width, !isFirst {
                lines.append(String(repeating: " ", count: indent) + word)
            } else {
                lines[lines.count - 1] += (isFirst ? "" : " ") + word
            }
            isFirst = false
        }
        return lines.joined(separator: "\n")
    }
}
