import RecurrentCore

/// The name of a plug-in, and the values of those of its options that have been set.
///
///     configuration.dataset = PluginChoice("kth-largest", ["length": 400, "k": 10])
///
/// In a configuration that a registry has resolved, every option has a value.
public struct PluginChoice: Sendable, Equatable, ExpressibleByStringLiteral {
    /// The name under which the plug-in is registered.
    public var name: String
    /// The values by the names of the options.
    public var options: [String: OptionValue]

    /// Creates a choice of a plug-in by its name.
    ///
    /// - Parameters:
    ///   - name: the name under which the plug-in is registered.
    ///   - options: the values by the names of the options; all others have their defaults.
    public init(_ name: String, _ options: [String: OptionValue] = [:]) {
        self.name = name
        self.options = options
    }
    /// Creates a choice of a plug-in with default options from a string literal.
    public init(stringLiteral value: String) { self.init(value) }

    /// Creates a choice of a plug-in by its type, with typed options.
    public init<P: Plugin>(_ type: P.Type, options: P.Options = P.Options()) {
        self.init(P.name, options.optionValues)
    }

    /// The value of an option; nil if it hasn't been set.
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
    /// Decodes the value of a key; nil only if there is no such key, while a value of null is refused.
    func decodeIfGiven<Value: Decodable>(_ type: Value.Type, forKey key: ConfigurationKey) throws -> Value? {
        contains(key) ? try decode(type, forKey: key) : nil
    }

    /// Decodes a plug-in from the keys of an object.
    ///
    /// - Parameter nested: the keys that aren't options.
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
