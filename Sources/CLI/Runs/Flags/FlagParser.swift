import RecurrentCore

/// Makes a configuration from the flags of a command line.
public struct FlagParser {
    private let registry: Registry
    private let tokenizer: FlagTokenizer
    private let scope: FlagScope

    /// - Parameters:
    ///   - registry: whose plug-ins can be named.
    ///   - scope: which flags are taken.
    ///   - own: gives the flags of the command itself, without dashes, for suggestions.
    public init(registry: Registry, scope: FlagScope = .all, own: @escaping () -> [String] = { [] }) {
        self.registry = registry
        self.scope = scope
        tokenizer = FlagTokenizer(registry: registry, own: own)
    }

    /// Cuts a command line into flags with their values, and words that stand for themselves.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for a flag that nothing has,
    ///   or that lacks its value.
    public func split(_ arguments: [String]) throws -> (flags: [String], words: [String]) {
        let (flags, words) = try tokenizer.tokens(arguments)
        try checkScope(flags)
        return (flags.flatMap { [$0.isShorthand || $0.value == nil ? $0.typed : $0.typed + "=" + $0.value!] }, words)
    }

    /// What flags make of a configuration.
    public struct Result: Sendable {
        /// Resolved by the registry.
        public var configuration: RunConfiguration
        /// The options that were given, by name.
        public var given: Set<String>
        /// Flags that do nothing in this run, with a line for each that says why.
        public var idle: [(flag: String, reason: String)]
    }

    /// The configuration that flags make of another one.
    ///
    /// - Parameters:
    ///   - arguments: flags and values.
    ///   - base: what they change; nil for the defaults of the data set.
    ///   - locatesData: as for ``Registry/resolve(_:locatesData:)``.
    /// - Throws: ``RecurrentCore/RecurrentError`` for a flag that does nothing, a name that
    ///   isn't registered, or a value out of its bounds.
    public func configuration(
        _ arguments: [String], onto base: RunConfiguration? = nil, locatesData: Bool = true
    ) throws -> RunConfiguration {
        let result = try parse(arguments, onto: base, locatesData: locatesData)
        if let idle = result.idle.first { throw RecurrentError.invalidOption(idle.reason) }
        return result.configuration
    }

    /// Makes the configuration, but returns the flags that do nothing instead of refusing them.
    ///
    /// - Parameters:
    ///   - arguments: flags and values.
    ///   - base: what they change; nil for the defaults of the data set.
    ///   - fixed: the plug-ins that the command itself chooses, by kind.
    ///   - locatesData: as for ``Registry/resolve(_:locatesData:)``.
    /// - Throws: ``RecurrentCore/RecurrentError`` for a name that isn't registered, or a value
    ///   out of its bounds.
    public func parse(
        _ arguments: [String], onto base: RunConfiguration? = nil, fixed: [PluginKind: String] = [:],
        locatesData: Bool = true
    ) throws -> Result {
        let (tokens, positionals) = try tokenizer.tokens(arguments)
        if let stranger = positionals.first {
            throw RecurrentError.invalidOption("unexpected argument '\(stranger)'; options begin with --")
        }
        try checkShorthands(tokens)
        try checkScope(tokens)
        func name(_ kind: PluginKind) throws -> String? {
            let chosen = fixed[kind] ?? tokens.last { $0.option == kind.rawValue }?.value
            return try chosen.map { try registry.find(kind, $0).name }
        }
        let dataset = try name(.dataset)
        var result = try base ?? registry.standard(dataset: dataset)
        if base != nil, let dataset, dataset != result.dataset.name { result.dataset = PluginChoice(dataset) }
        for kind in PluginKind.allCases where kind != .dataset {
            guard let name = try name(kind), result[kind]?.name != name else { continue }
            result[kind] = PluginChoice(name)
            // Another cell has an activation of its own.
            if kind == .cell { result.activation = nil }
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
                idle.append((token.typed, try notOwned(token, result)))
            }
        }
        let given = Set(tokens.map(\.option))
        let resolved: RunConfiguration
        do { resolved = try registry.resolve(result, locatesData: locatesData) } catch {
            // What is in the wrong place is told before what is missing.
            if let first = idle.first { throw RecurrentError.invalidOption(first.reason) }
            throw error
        }
        idle += try idleOptions(tokens, resolved)
        return Result(configuration: resolved, given: given, idle: idle)
    }

    private static func value(_ token: FlagToken, _ kind: OptionKind) throws -> OptionValue {
        try token.value.map { try kind.parse($0, for: token.option) } ?? .flag(!token.isNegated)
    }

    private func checkScope(_ tokens: [FlagToken]) throws {
        guard let outside = tokens.first(where: { !scope.contains($0.option, registry: registry) }) else { return }
        throw RecurrentError.invalidOption("\(outside.typed) \(scope.refusal(outside.option))")
    }

    private func checkShorthands(_ tokens: [FlagToken]) throws {
        for (name, meaning) in Flags.shorthands where tokens.contains(where: { $0.typed == "--\(name)" }) {
            guard let other = tokens.first(where: { $0.option == meaning.option && $0.value != meaning.value }) else {
                continue
            }
            throw RecurrentError.invalidOption(
                "--\(name) and \(other.typed) \(other.value!) contradict each other; leave one out")
        }
    }

    /// The plug-in of a kind that a run has, or will have by default.
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

    /// Whose an option is that no plug-in of the run has.
    private func notOwned(_ token: FlagToken, _ configuration: RunConfiguration) throws -> String {
        let owners = registry.entries.filter { $0.options.contains { $0.name == token.option } }
        let kind = owners[0].kind, flag = Flags.flag(kind.rawValue)
        let names = owners.map(\.name), list = OptionKind.either(names)
        guard let mine = try chosen(kind, in: configuration) else {
            return "\(token.typed) is an option of --\(flag) \(list), and this run has no \(kind.label); leave it out"
        }
        let own =
            mine.options.isEmpty
            ? "no options" : mine.options.map { "--\(Flags.flag($0.name))" }.joined(separator: ", ")
        return
            "\(token.typed) is an option of --\(flag) \(list), not of \(mine.name); leave it out, or add --\(flag) \(names[0]) (\(mine.name) has \(own))"
    }

    /// The flags that this run's cell or data have no use for, each with a line that says so.
    private func idleOptions(_ tokens: [FlagToken], _ configuration: RunConfiguration) throws -> [(
        flag: String, reason: String
    )] {
        let missing = configuration.missingConditions(registry)
        let cell = try registry.find(.cell, configuration.cell.name)
        var reasons: [String: String] = [:]
        func refuse(_ kind: PluginKind, _ reason: String) {
            for option in [kind.rawValue] + registry.plugins(kind).flatMap(\.options).map(\.name) {
                reasons[option] = reason
            }
        }
        if !cell.takesActivation {
            reasons[PluginKind.activation.rawValue] = "the cell \(cell.name), whose nonlinearity can't be chosen"
        }
        if missing.contains(.orthogonalWeight) {
            for kind in [PluginKind.manifold, .skewInit] { refuse(kind, reason(.orthogonalWeight, configuration)) }
        }
        for option in SectionAccess.all.flatMap(\.options) {
            guard let condition = option.condition, missing.contains(condition) else { continue }
            reasons[option.name] = reason(condition, configuration)
        }
        return tokens.compactMap { token in
            reasons[token.option].map { (token.typed, "\(token.typed) does nothing for \($0); leave it out") }
        }
    }

    /// What a run is that lacks something: what follows “does nothing for”.
    private func reason(_ missing: OptionCondition, _ configuration: RunConfiguration) -> String {
        switch missing {
        case .orthogonalWeight: return "the cell \(configuration.cell.name), which has no orthogonal weight"
        case .freeRecurrentWeight: return "the cell \(configuration.cell.name), whose recurrent weight is orthogonal"
        case .dropout: return "a run without --dropout"
        case .tokenInputs:
            let name = configuration.dataset.name
            let own = (registry.entry(.dataset, name)?.options ?? []).map { "--\(Flags.flag($0.name))" }
            return "the data set \(name), whose inputs are no tokens (it has \(own.joined(separator: ", ")))"
        }
    }
}
