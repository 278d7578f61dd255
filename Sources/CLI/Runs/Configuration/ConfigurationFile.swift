import RecurrentCore

/// A configuration that was read from a file, and which options the file gives a value.
struct ConfigurationFile: Decodable {
    private(set) var configuration: RunConfiguration
    /// The names of the options that the file gives a value, and the kinds of the plug-ins that it names.
    private(set) var given: Set<String> = []
    /// Whether the file has the first version's format, in which every option of every plug-in has a value.
    let isFlat: Bool

    /// The key under which a decoder holds the function that returns the defaults of a data set, given its name.
    static let standardKey = CodingUserInfoKey(rawValue: "standard")!
    /// The key under which a decoder holds the configuration that the file changes; without one, what the file lacks has
    /// its default.
    static let baseKey = CodingUserInfoKey(rawValue: "base")!

    static let sections: Set = [
        "version", "cell", "dataset", "model", "optimizer", "schedule", "training", "manifold", "tracking", "backend",
        "seed", "from",
    ]

    /// Whether the file gives all options that every run has, as a file does that a run wrote.
    var isComplete: Bool {
        isFlat || SectionAccess.all.flatMap(\.options).allSatisfy { $0.standard == .null || given.contains($0.name) }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: ConfigurationKey.self)
        func key(_ name: String) -> ConfigurationKey { ConfigurationKey(name) }
        guard let number = try container.decodeIfPresent(OptionValue.self, forKey: key("version")) else {
            throw RecurrentError.invalidOption(
                "isn't a run's configuration: it has no version; add \"version\": \(RunConfiguration.version)")
        }
        guard case .integer(let version) = number else {
            throw RecurrentError.invalidOption(
                "`version` must be \(RunConfiguration.version) or 1, not \(number.described)")
        }
        isFlat = version == 1
        if isFlat {
            configuration = try Version1(from: decoder).configuration
            return
        }
        guard version == RunConfiguration.version else {
            throw RecurrentError.invalidOption(
                "has version \(version); this program reads versions 1 and \(RunConfiguration.version)")
        }
        if let stranger = container.allKeys.map(\.stringValue).filter({ !Self.sections.contains($0) }).min() {
            throw RecurrentError.invalidOption(
                "has an unknown section `\(stranger.excerpt)`"
                    + (Self.place(of: stranger, isNested: false) ?? Suggestion.text(stranger, in: Self.sections)))
        }
        let dataset = try container.decodeIfGiven(PluginChoice.self, forKey: key("dataset"))
        let standard = decoder.userInfo[Self.standardKey] as? @Sendable (String) throws -> RunConfiguration
        if let base = decoder.userInfo[Self.baseKey] as? RunConfiguration {
            configuration = base
        } else {
            configuration = try standard?(dataset?.name ?? "recall") ?? RunConfiguration()
            configuration.dataset = PluginChoice(dataset?.name ?? "recall")
        }
        choose(.dataset, dataset)
        for kind in [PluginKind.optimizer, .schedule, .backend] {
            choose(kind, try container.decodeIfGiven(PluginChoice.self, forKey: key(kind.rawValue)))
        }
        if let object = try Self.object("cell", in: container) {
            choose(.cell, try object.choice(except: [RunConfiguration.activationKey]))
            choose(
                .activation,
                try object.decodeIfGiven(PluginChoice.self, forKey: key(RunConfiguration.activationKey)))
        }
        if let object = try Self.object("manifold", in: container) {
            // The initialization of B may be chosen even if the update isn't, but options need one.
            if object.allKeys.contains(where: { $0.stringValue != RunConfiguration.startKey }) {
                choose(.manifold, try object.choice(except: [RunConfiguration.startKey]))
            }
            choose(
                .skewInit, try object.decodeIfGiven(PluginChoice.self, forKey: key(RunConfiguration.startKey)))
        }
        try overlay("model", \.model, from: container)
        try overlay("training", \.training, from: container)
        try overlay("tracking", \.tracking, from: container)
        if let value = try container.decodeIfGiven(OptionValue.self, forKey: key("seed")) {
            try configuration.general.set("seed", to: value)
            given.insert("seed")
        }
        configuration.from = try container.decodeIfGiven(String.self, forKey: key("from")) ?? configuration.from
    }

    /// The path of a plug-in's object in the file.
    static func path(of kind: PluginKind) -> [String] {
        switch kind {
        case .activation: ["cell", RunConfiguration.activationKey]
        case .skewInit: ["manifold", RunConfiguration.startKey]
        default: [kind.rawValue]
        }
    }

    /// Returns a hint at where an option or plug-in belongs that stands in the wrong place; nil if it isn't one that every
    /// run can have.
    ///
    /// - Parameters:
    ///   - stranger: the key that stands in the wrong place.
    ///   - isNested: whether it stands in an object of the file, and not at the top level.
    static func place(of stranger: String, isNested: Bool) -> String? {
        for name in spellings(of: stranger) {
            if let path = PluginKind.allCases.map({ path(of: $0) }).first(where: { $0.count > 1 && $0[1] == name }) {
                return "; \"\(name)\" belongs in \"\(path[0])\""
            }
            if name == PluginKind.skewInit.rawValue {
                return "; it is \"\(RunConfiguration.startKey)\" in \"\(path(of: .skewInit)[0])\""
            }
            let section = SectionAccess.all.first { $0.options.contains { $0.name == name } }
            if let section, sections.contains(section.title) {
                return "; \"\(name)\" belongs in \"\(section.title)\""
            }
            if isNested, sections.contains(name) { return "; \"\(name)\" belongs at the top level" }
        }
        return nil
    }

    /// Returns the error about a key that is no option of its section.
    static func noOption(_ path: [String], in names: [String]) -> RecurrentError {
        let option = path.last ?? ""
        let spelled = spellings(of: option).first(where: names.contains).map { "; did you mean '\($0)'?" }
        return .invalidOption(
            "there is no option `\(JSONOutline.shown(path))`"
                + (spelled ?? place(of: option, isNested: true) ?? Suggestion.text(option, in: names)))
    }

    /// The names that a key may stand for, which may be spelled as on a command line.
    private static func spellings(of key: String) -> [String] {
        [key, Flags.option(key), Flags.option(Flags.canonical(key))]
    }

    private static func object(_ name: String, in container: KeyedDecodingContainer<ConfigurationKey>) throws
        -> KeyedDecodingContainer<ConfigurationKey>?
    {
        let key = ConfigurationKey(name)
        return container.contains(key)
            ? try container.nestedContainer(keyedBy: ConfigurationKey.self, forKey: key) : nil
    }

    /// Takes a plug-in over from the file; the options of the same plug-in that the file lacks stay as they are.
    private mutating func choose(_ kind: PluginKind, _ choice: PluginChoice?) {
        guard var choice else { return }
        if let old = configuration[kind], old.name == choice.name {
            choice.options.merge(old.options) { own, _ in own }
        } else if kind == .cell {
            // A different cell brings its default activation.
            configuration.activation = nil
        }
        configuration[kind] = choice
        given.formUnion([kind.rawValue] + choice.options.filter { $0.value != .null }.keys)
    }

    private mutating func overlay<Section: OptionSection>(
        _ name: String, _ path: WritableKeyPath<RunConfiguration, Section>,
        from container: KeyedDecodingContainer<ConfigurationKey>
    ) throws {
        let values = try container.decodeIfGiven([String: OptionValue].self, forKey: ConfigurationKey(name)) ?? [:]
        for option in values.keys.sorted() {
            guard Section.fields.contains(where: { $0.name == option }) else {
                throw Self.noOption([name, option], in: Section.fields.map(\.name))
            }
            try configuration[keyPath: path].set(option, to: values[option]!)
            if values[option]! != .null { given.insert(option) }
        }
        try configuration[keyPath: path].validate()
    }
}
