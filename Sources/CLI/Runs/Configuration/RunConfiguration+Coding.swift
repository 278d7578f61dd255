import RecurrentCore

/// The format of `config.json`: an object for each plug-in, with its name and options, and one for each section.
///
/// The activation is nested in the cell, and the initialization of B in the manifold update.
extension RunConfiguration: Codable {
    /// The version of the format that is written; version 1 can also be read.
    public static let version = 2

    static let activationKey = "activation", startKey = "start"

    /// The keys of a plug-in's object that can't be the names of options.
    static let reservedKeys: Set = ["name", activationKey, startKey]

    public init(from decoder: any Decoder) throws { self = try ConfigurationFile(from: decoder).configuration }

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
