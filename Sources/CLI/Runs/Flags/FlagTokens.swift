import RecurrentCore

/// One flag of a command line, with its value if it has one.
struct FlagToken: Equatable {
    /// The option's name.
    let option: String
    /// The flag under its own name, with its dashes.
    let flag: String
    let value: String?
    /// Whether it began with `--no-`.
    var isNegated = false
    /// Whether the flag itself stands for the value.
    var isShorthand = false
    /// The flag under the name that was typed, if that isn't its own.
    var alias: String?

    /// The flag and its value as one word, which gives an equal token.
    var word: String {
        if isShorthand { return flag }
        if let value { return "\(flag)=\(value)" }
        return isNegated && !flag.hasPrefix("--no-") ? "\(flag)=false" : flag
    }
}

/// Splits a command line into flags and values; the registry determines which flags take a value.
struct FlagTokenizer {
    private enum Form {
        case flag, value
    }
    /// Whether an option takes a value, by the option's name.
    private let forms: [String: Form]
    /// Returns the command's own flags, for suggestions.
    private let own: () -> [String]
    /// The words that print the list of options.
    private let help: String

    /// Creates a tokenizer.
    ///
    /// - Parameters:
    ///   - registry: the plug-ins whose options there are.
    ///   - own: returns the command's own flags, for suggestions.
    ///   - help: the words that print the list of options.
    init(registry: Registry, own: @escaping () -> [String], help: String) {
        let options = SectionAccess.all.flatMap(\.options) + registry.entries.flatMap(\.options)
        let kinds = PluginKind.allCases.map { ($0.rawValue, Form.value) }
        forms = Dictionary(kinds + options.map { ($0.name, $0.kind == .flag ? .flag : .value) }) { first, _ in first }
        self.own = own
        self.help = help
    }

    /// Splits a command line.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for an unknown flag, or one that lacks its value.
    func tokens(_ arguments: [String]) throws -> (flags: [FlagToken], positionals: [String]) {
        var result: [FlagToken] = [], positionals: [String] = []
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            guard argument.hasPrefix("-"), argument != "-" else {
                positionals.append(argument)
                continue
            }
            guard argument.hasPrefix("--"), argument.count > 2 else {
                throw RecurrentError.invalidOption("there is no option \(argument); `\(help)` lists them")
            }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let typed = String(parts[0]).lowercased().replacing("_", with: "-")
            let inline = parts.count > 1 ? String(parts[1]) : nil
            if let shorthand = Flags.shorthands[typed] {
                guard inline == nil else {
                    throw RecurrentError.invalidOption("--\(typed) takes no value; leave out '\(inline!.excerpt)'")
                }
                result.append(
                    FlagToken(option: shorthand.option, flag: "--\(typed)", value: shorthand.value, isShorthand: true))
                continue
            }
            let name = Flags.aliases[typed] ?? typed, option = Flags.option(name)
            let alias = name == typed ? nil : "--\(typed)"
            switch forms[option] {
            case .flag:
                guard inline == nil || ["true", "false"].contains(inline?.lowercased()) else {
                    throw RecurrentError.invalidOption(
                        "--\(name) takes no value but true and false; leave out '\(inline!.excerpt)'")
                }
                result.append(
                    FlagToken(
                        option: option, flag: "--\(name)", value: nil, isNegated: inline?.lowercased() == "false"))
            case .value:
                guard let value = inline ?? (index < arguments.count ? arguments[index] : nil) else {
                    throw RecurrentError.invalidOption("--\(name) needs a value")
                }
                if inline == nil { index += 1 }
                result.append(FlagToken(option: option, flag: "--\(name)", value: value, alias: alias))
            case nil:
                if name.hasPrefix("no-"), inline == nil, forms[Flags.option(name.dropFirst(3))] == .flag {
                    result.append(
                        FlagToken(
                            option: Flags.option(name.dropFirst(3)), flag: "--\(name)", value: nil, isNegated: true))
                } else {
                    throw RecurrentError.invalidOption("there is no option --\(parts[0])" + suggestion(typed))
                }
            }
        }
        try checkRepeated(result)
        return (result, positionals)
    }

    /// Refuses an option that is given two values, of which one would be lost.
    private func checkRepeated(_ tokens: [FlagToken]) throws {
        func shown(_ token: FlagToken) -> String {
            token.isShorthand ? token.word : token.value.map { "\(token.alias ?? token.flag) \($0)" } ?? token.word
        }
        for (index, token) in tokens.enumerated() {
            guard
                let other = tokens[..<index].first(where: {
                    $0.option == token.option && ($0.value, $0.isNegated) != (token.value, token.isNegated)
                })
            else { continue }
            throw RecurrentError.invalidOption(
                "\(shown(other)) and \(shown(token)) contradict each other; leave one out")
        }
    }

    private func suggestion(_ typed: String) -> String {
        guard !typed.isEmpty else { return "; `\(help)` lists them" }
        let names = forms.keys.map(Flags.flag) + own() + Flags.aliases.keys + Flags.shorthands.keys
        let near = Suggestion.nearest(typed, in: names) ?? names.filter { $0.hasPrefix(typed) }.min()
        return near.map { "; did you mean --\($0)?" } ?? "; `\(help)` lists them"
    }
}
