import RecurrentCore

/// A plug-in by its name, and those of its options that have been given a value.
///
///     configuration.dataset = PluginChoice("kth-largest", ["length": 400, "k": 10])
///
/// In a configuration that a registry has resolved, every option has a value.
public struct PluginChoice: Sendable, Equatable, ExpressibleByStringLiteral {
    /// As it is registered.
    public var name: String
    /// Values by the options' names.
    public var options: [String: OptionValue]

    /// - Parameters:
    ///   - name: as it is registered.
    ///   - options: values by the options' names; the others have their defaults.
    public init(_ name: String, _ options: [String: OptionValue] = [:]) {
        self.name = name
        self.options = options
    }
    /// A plug-in with its defaults, from its name.
    public init(stringLiteral value: String) { self.init(value) }

    /// A plug-in by its type, with typed options.
    public init<P: Plugin>(_ type: P.Type, options: P.Options = P.Options()) {
        self.init(P.name, options.optionValues)
    }

    /// The value of an option; nil if it has none here.
    public subscript(option: String) -> OptionValue? {
        get { options[option] }
        set { options[option] = newValue }
    }
}

/// Any key of `config.json`.
struct ConfigurationKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
    static let name = ConfigurationKey("name")
}

extension KeyedEncodingContainer<ConfigurationKey> {
    mutating func encode(_ choice: PluginChoice) throws {
        try encode(choice.name, forKey: .name)
        for (name, value) in choice.options { try encode(value, forKey: ConfigurationKey(name)) }
    }
}

extension KeyedDecodingContainer<ConfigurationKey> {
    /// - Parameter nested: keys that aren't options.
    func choice(except nested: Set<String> = []) throws -> PluginChoice {
        var choice = PluginChoice(try decode(String.self, forKey: .name))
        for key in allKeys where key.stringValue != "name" && !nested.contains(key.stringValue) {
            choice.options[key.stringValue] = try decode(OptionValue.self, forKey: key)
        }
        return choice
    }
}

extension PluginChoice: Codable {
    public init(from decoder: any Decoder) throws {
        self = try decoder.container(keyedBy: ConfigurationKey.self).choice()
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: ConfigurationKey.self)
        try container.encode(self)
    }
}
