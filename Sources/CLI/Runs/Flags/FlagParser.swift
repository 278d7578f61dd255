import RecurrentCore

/// A parser that turns the flags of a command line into a configuration.
public struct FlagParser {
    private let registry: Registry
    private let tokenizer: FlagTokenizer
    private let scope: FlagScope

    /// Creates a parser for a command.
    ///
    /// - Parameters:
    ///   - registry: the plug-ins that can be named.
    ///   - scope: the flags that the command accepts.
    ///   - own: returns the command's own flags, without dashes, for suggestions.
    ///   - help: the words that print the list of options, for messages.
    public init(
        registry: Registry, scope: FlagScope = .all, own: @escaping () -> [String] = { [] }, help: String = "--help"
    ) {
        self.registry = registry
        self.scope = scope
        tokenizer = FlagTokenizer(registry: registry, own: own, help: help)
    }

    /// Splits a command line into flags with their values, and words that aren't flags.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for a flag that is unknown, lacks its value, or is
    ///   outside the scope.
    public func split(_ arguments: [String]) throws -> (flags: [String], words: [String]) {
        let (flags, words) = try tokenizer.tokens(arguments)
        try checkScope(flags)
        return (flags.map(\.word), words)
    }

    /// The result of parsing flags.
    public struct Result: Sendable {
        /// The configuration with the flags applied, resolved by the registry.
        public var configuration: RunConfiguration
        /// The names of the options that were given.
        public var given: Set<String>
        /// The flags that do nothing in this run, each with a message that says why.
        public var idle: [(flag: String, reason: String)]
    }

    /// Returns a configuration with flags applied to it.
    ///
    /// - Parameters:
    ///   - arguments: the flags and their values.
    ///   - base: the configuration to change; nil for the defaults of the data set.
    ///   - locatesData: whether folders of data are searched for, as in ``Registry/resolve(_:locatesData:)``.
    /// - Throws: ``RecurrentCore/RecurrentError`` for a flag that does nothing, a name that isn't registered, or a value
    ///   out of range.
    public func configuration(
        _ arguments: [String], onto base: RunConfiguration? = nil, locatesData: Bool = true
    ) throws -> RunConfiguration {
        let result = try parse(arguments, onto: base, locatesData: locatesData)
        if let idle = result.idle.first { throw RecurrentError.invalidOption(idle.reason) }
        return result.configuration
    }

    /// Applies flags to a configuration, and returns flags that do nothing instead of refusing them.
    ///
    /// - Parameters:
    ///   - arguments: the flags and their values.
    ///   - base: the configuration to change; nil for the defaults of the data set.
    ///   - fixed: the plug-ins that the command itself chooses, by kind.
    ///   - locatesData: whether folders of data are searched for, as in ``Registry/resolve(_:locatesData:)``.
    /// - Throws: ``RecurrentCore/RecurrentError`` for a name that isn't registered, or a value out of range.
    public func parse(
        _ arguments: [String], onto base: RunConfiguration? = nil, fixed: [PluginKind: String] = [:],
        locatesData: Bool = true
    ) throws -> Result {
        let (tokens, positionals) = try tokenizer.tokens(arguments)
        if let stranger = positionals.first {
            throw RecurrentError.invalidOption("unexpected argument '\(stranger)'; options begin with --")
        }
        try checkScope(tokens)
        func name(_ kind: PluginKind) throws -> String? {
            let chosen = fixed[kind] ?? tokens.last { $0.option == kind.rawValue }?.value
            return try chosen.map { try registry.find(kind, $0).name }
        }
        let dataset = try name(.dataset)
        var result = try base ?? registry.standard(dataset: dataset)
        for kind in PluginKind.allCases where kind != .dataset || base != nil {
            guard let name = try name(kind), result[kind]?.name != name else { continue }
            try registry.replace(kind, by: name, in: &result)
        }
        var idle: [(flag: String, reason: String)] = []
        for token in tokens where PluginKind(rawValue: token.option) == nil {
            if let section = SectionAccess.all.first(where: { $0.options.contains { $0.name == token.option } }) {
                let kind = section.options.first { $0.name == token.option }!.kind
                try section.set(&result, token.option, Self.value(token, kind))
            } else if let (kind, option) = try owner(of: token.option, in: result) {
                if result[kind] == nil { result[kind] = PluginChoice(try chosen(kind, in: result)!.name) }
                result[kind]![token.option] = try Self.value(token, option.kind)
            } else {
                idle.append((token.flag, try notOwned(token, result)))
            }
        }
        let given = Set(tokens.map(\.option))
        let resolved: RunConfiguration
        do { resolved = try registry.resolve(result, locatesData: locatesData) } catch {
            // A flag that does nothing may be the reason for the error, so it is reported first.
            let flags = idle + ((try? idleOptions(tokens, result)) ?? [])
            if let first = flags.first { throw RecurrentError.invalidOption(first.reason) }
            throw error
        }
        idle += try idleOptions(tokens, resolved)
        return Result(configuration: resolved, given: given, idle: idle)
    }

    /// Returns the names of the options that flags give a value, in their order.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for a flag that is unknown or lacks its value.
    package func options(_ arguments: [String]) throws -> [String] {
        try tokenizer.tokens(arguments).flags.map(\.option)
    }

    private static func value(_ token: FlagToken, _ kind: OptionKind) throws -> OptionValue {
        try token.value.map { try kind.parse($0, for: token.option) } ?? .flag(!token.isNegated)
    }

    private func checkScope(_ tokens: [FlagToken]) throws {
        guard let outside = tokens.first(where: { !scope.contains($0.option, registry: registry) }) else { return }
        throw RecurrentError.invalidOption("\(outside.flag) \(scope.refusal(outside.option))")
    }

    /// Returns the plug-in of a kind that a configuration names or has by default.
    private func chosen(_ kind: PluginKind, in configuration: RunConfiguration) throws -> Entry? {
        if let choice = configuration[kind] { return try registry.find(kind, choice.name) }
        if kind == .activation {
            let cell = try registry.find(.cell, configuration.cell.name)
            return cell.takesActivation ? cell.defaultActivation.flatMap { registry.entry(.activation, $0) } : nil
        }
        return registry.entry(kind, registry.standardName(kind))
    }

    private func owner(of option: String, in configuration: RunConfiguration) throws -> (PluginKind, OptionDescription)?
    {
        for kind in PluginKind.allCases {
            if let found = try chosen(kind, in: configuration)?.options.first(where: { $0.name == option }) {
                return (kind, found)
            }
        }
        return nil
    }

    /// Returns the message about an option that belongs to plug-ins that don't take part in the run.
    private func notOwned(_ token: FlagToken, _ configuration: RunConfiguration) throws -> String {
        let owners = registry.entries.filter { $0.options.contains { $0.name == token.option } }
        let kind = owners[0].kind, flag = Flags.flag(kind.rawValue)
        let names = owners.map(\.name), list = OptionKind.either(names)
        guard let mine = try chosen(kind, in: configuration) else {
            return "\(token.flag) is an option of --\(flag) \(list), and this run has no \(kind.label); leave it out"
        }
        let addition = scope.contains(kind.rawValue, registry: registry) ? ", or add --\(flag) \(names[0])" : ""
        let own =
            mine.options.isEmpty
            ? "no options" : mine.options.map { "--\(Flags.flag($0.name))" }.joined(separator: ", ")
        return
            "\(token.flag) is an option of --\(flag) \(list), not of \(mine.name); leave it out\(addition) (\(mine.name) has \(own))"
    }

    /// Returns the flags that do nothing with the run's cell or data set, each with a message that says why.
    private func idleOptions(_ tokens: [FlagToken], _ configuration: RunConfiguration) throws -> [(
        flag: String, reason: String
    )] {
        let reasons = try registry.idleReasons(in: configuration)
        return tokens.compactMap { token in
            reasons[token.option].map { (token.flag, "\(token.flag) does nothing for \($0); leave it out") }
        }
    }
}
