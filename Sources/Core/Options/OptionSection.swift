/// A section of a run's configuration: the options of a plug-in, or the options on one
/// subject that every run has. It is an object in `config.json` and a group in help.
///
///     public struct Options: OptionSection {
///         public var momentum = 0.0
///         public init() {}
///         public static let fields: [OptionField<Self>] = [
///             .number("momentum", \.momentum, .within(0..<1), "Momentum of the gradient.")
///         ]
///     }
///
/// The fields are the only place that lists an option: its key in `config.json`, its
/// flag, help, bounds and messages follow from them. The properties' initial values are the
/// defaults.
public protocol OptionSection: Codable, Equatable, Sendable {
    /// Creates a section with the defaults.
    init()
    /// All options, in the order in which help shows them.
    static var fields: [OptionField<Self>] { get }
    /// Checks what no field can check by itself: whether the options fit together. By default
    /// they do.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)``, with the options' names in backticks.
    func validate() throws
}

/// The section of a plug-in without options.
public struct NoOptions: OptionSection {
    /// Creates the empty section.
    public init() {}
    public static let fields: [OptionField<Self>] = []
}

extension OptionSection {
    public func validate() throws {}

    /// The values of all options by name.
    public var optionValues: [String: OptionValue] {
        Dictionary(uniqueKeysWithValues: Self.fields.map { ($0.name, $0.read(self)) })
    }

    /// Descriptions of all options of the section, with their defaults.
    public static var options: [OptionDescription] {
        let standard = Self()
        return fields.map {
            OptionDescription(
                name: $0.name, help: $0.help, kind: $0.kind, standard: $0.read(standard), conditions: $0.conditions,
                isResumable: $0.isResumable)
        }
    }

    /// Creates a section from values by name; options without a value keep their defaults.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for a name that isn't an option's, for a
    ///   value of another type or out of bounds, or for options that don't fit together.
    public init(optionValues values: [String: OptionValue]) throws {
        self.init()
        for name in values.keys.sorted() { try set(name, to: values[name]!) }
        try validate()
    }

    /// Changes one option.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if there is no option with this name, or
    ///   it doesn't accept the value.
    public mutating func set(_ name: String, to value: OptionValue) throws {
        guard let field = Self.fields.first(where: { $0.name == name }) else {
            let names = Self.fields.map(\.name)
            throw RecurrentError.invalidOption(
                "there is no option `\(name.excerpt)`" + Suggestion.text(name, in: names))
        }
        field.write(&self, try field.kind.check(value, for: name))
    }

    /// Checks each option's bounds, and then whether the options fit together.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the first option that is wrong.
    public func check() throws {
        for field in Self.fields { _ = try field.kind.check(field.read(self), for: field.name) }
        try validate()
    }

    /// Decodes a section from an object with options by name.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for an unknown option or a wrong value.
    public init(from decoder: any Decoder) throws {
        try self.init(optionValues: [String: OptionValue](from: decoder))
    }

    public func encode(to encoder: any Encoder) throws { try optionValues.encode(to: encoder) }
}

/// An option without the type of its section: for showing, parsing and comparing options
/// where that type isn't known.
public struct OptionDescription: Sendable {
    /// The key in `config.json`, in camel case, such as `timeStep`.
    public let name: String
    /// A sentence that says what the option does.
    public let help: String
    /// The type of the option's values, with their bounds or choices.
    public let kind: OptionKind
    /// The default value.
    public let standard: OptionValue
    /// What a run must have for the option to do anything.
    public let conditions: Set<OptionCondition>
    /// Whether the option may change when a run is resumed.
    public let isResumable: Bool

    /// Creates a description of an option.
    ///
    /// - Parameters:
    ///   - name: the key in `config.json`, in camel case.
    ///   - help: a sentence that says what the option does.
    ///   - kind: the type of its values, with their bounds or choices.
    ///   - standard: the default value.
    ///   - conditions: what a run must have for the option to do anything.
    ///   - isResumable: whether it may change when a run is resumed.
    public init(
        name: String, help: String, kind: OptionKind, standard: OptionValue, conditions: Set<OptionCondition> = [],
        isResumable: Bool = false
    ) {
        (self.name, self.help, self.kind, self.standard) = (name, help, kind, standard)
        (self.conditions, self.isResumable) = (conditions, isResumable)
    }
}
