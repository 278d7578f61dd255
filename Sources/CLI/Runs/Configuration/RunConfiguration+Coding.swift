import RecurrentCore

/// The format of `config.json`: an object for each plug-in, with its name and options, and one for each section.
///
/// The activation is nested in the cell, and the initialization of B in the manifold update.
extension RunConfiguration: Codable {
    /// The version of the format that is written; version 1 can also be read.
    public static let version = 2

    private static let activationKey = "activation", startKey = "start"
    /// The key under which a decoder holds the function that returns the defaults of a data set, given its name.
    static let standardKey = CodingUserInfoKey(rawValue: "standard")!

    /// The keys of a plug-in's object that can't be the names of options.
    static let reservedKeys: Set = ["name", activationKey, startKey]

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: ConfigurationKey.self)
        func key(_ name: String) -> ConfigurationKey { ConfigurationKey(name) }
        guard let version = try container.decodeIfPresent(Int.self, forKey: key("version")) else {
            throw RecurrentError.invalidOption("isn't a run's configuration: it has no version")
        }
        if version == 1 {
            self = try Version1(from: decoder).configuration
            return
        }
        guard version == Self.version else {
            throw RecurrentError.invalidOption(
                "has version \(version); this program reads versions 1 and \(Self.version)")
        }
        let known: Set = [
            "version", "cell", "dataset", "model", "optimizer", "schedule", "training", "manifold", "tracking",
            "backend", "seed", "from",
        ]
        if let stranger = container.allKeys.map(\.stringValue).filter({ !known.contains($0) }).min() {
            throw RecurrentError.invalidOption(
                "has an unknown section \"\(stranger)\"" + Suggestion.text(stranger, in: known))
        }
        let chosen = try container.decodeIfPresent(PluginChoice.self, forKey: key("dataset")) ?? "recall"
        let standard = decoder.userInfo[Self.standardKey] as? @Sendable (String) throws -> RunConfiguration
        self = try standard?(chosen.name) ?? RunConfiguration()
        dataset = chosen
        func overlay<Section: OptionSection>(_ name: String, _ section: inout Section) throws {
            let values = try container.decodeIfPresent([String: OptionValue].self, forKey: key(name)) ?? [:]
            for option in values.keys.sorted() { try section.set(option, to: values[option]!) }
            try section.validate()
        }
        func object(_ name: String) throws -> KeyedDecodingContainer<ConfigurationKey>? {
            container.contains(key(name))
                ? try container.nestedContainer(keyedBy: ConfigurationKey.self, forKey: key(name)) : nil
        }
        if let object = try object("cell") {
            cell = try object.choice(except: [Self.activationKey])
            activation = try object.decodeIfPresent(PluginChoice.self, forKey: key(Self.activationKey))
        }
        if let object = try object("manifold") {
            // The initialization of B may be chosen even if the update isn't.
            if object.contains(.name) { manifold = try object.choice(except: [Self.startKey]) }
            skewInit = try object.decodeIfPresent(PluginChoice.self, forKey: key(Self.startKey))
        }
        optimizer = try container.decodeIfPresent(PluginChoice.self, forKey: key("optimizer")) ?? optimizer
        schedule = try container.decodeIfPresent(PluginChoice.self, forKey: key("schedule")) ?? schedule
        backend = try container.decodeIfPresent(PluginChoice.self, forKey: key("backend")) ?? backend
        try overlay("model", &model)
        try overlay("training", &training)
        try overlay("tracking", &tracking)
        if let value = try container.decodeIfPresent(OptionValue.self, forKey: key("seed")) {
            try general.set("seed", to: value)
        }
        from = try container.decodeIfPresent(String.self, forKey: key("from"))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: ConfigurationKey.self)
        func key(_ name: String) -> ConfigurationKey { ConfigurationKey(name) }
        try container.encode(Self.version, forKey: key("version"))
        var object = container.nestedContainer(keyedBy: ConfigurationKey.self, forKey: key("cell"))
        try object.encode(cell)
        try object.encodeIfPresent(activation, forKey: key(Self.activationKey))
        if manifold != nil || skewInit != nil {
            var object = container.nestedContainer(keyedBy: ConfigurationKey.self, forKey: key("manifold"))
            if let manifold { try object.encode(manifold) }
            try object.encodeIfPresent(skewInit, forKey: key(Self.startKey))
        }
        try container.encode(dataset, forKey: key("dataset"))
        try container.encode(optimizer, forKey: key("optimizer"))
        try container.encode(schedule, forKey: key("schedule"))
        try container.encode(backend, forKey: key("backend"))
        try container.encode(model, forKey: key("model"))
        try container.encode(training, forKey: key("training"))
        try container.encode(tracking, forKey: key("tracking"))
        try container.encode(seed, forKey: key("seed"))
        try container.encodeIfPresent(from, forKey: key("from"))
    }
}
