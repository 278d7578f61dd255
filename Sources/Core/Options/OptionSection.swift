/// A section of a run's configuration: the options of a plug-in, or those that every
/// run has of one subject. It is an object of `config.json` and a group of help.
///
///     public struct Options: OptionSection {
///         public var momentum = 0.0
///         public init() {}
///         public static let fields: [OptionField<Self>] = [
///             .number("momentum", \.momentum, .within(0..<1), "Momentum of the gradient.")
///         ]
///     }
///
/// The fields are the one place that lists an option: its key in `config.json`, its
/// flag, help, bounds and messages follow from there. Properties have their defaults.
public protocol OptionSection: Codable, Equatable, Sendable {
    /// The defaults.
    init()
    /// Every option, in the order of help.
    static var fields: [OptionField<Self>] { get }
    /// Checks what no field can check by itself: how options go together.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)``, with the options' names in backticks.
    func validate() throws
}

/// The section of a plug-in without options.
public struct NoOptions: OptionSection {
    /// No option at all.
    public init() {}
    public static let fields: [OptionField<Self>] = []
}

extension OptionSection {
    public func validate() throws {}

    /// Every option's value by its name.
    public var optionValues: [String: OptionValue] {
        Dictionary(uniqueKeysWithValues: Self.fields.map { ($0.name, $0.read(self)) })
    }

    /// Every option of the section with its default, without the section's type.
    public static var options: [OptionDescription] {
        let standard = Self()
        return fields.map {
            OptionDescription(
                name: $0.name, help: $0.help, kind: $0.kind, standard: $0.read(standard), condition: $0.condition,
                isResumable: $0.isResumable)
        }
    }

    /// A section from values by name; what has none keeps its default.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for a name that isn't an option's, or a
    ///   value of another type or out of its bounds.
    public init(optionValues values: [String: OptionValue]) throws {
        self.init()
        for name in values.keys.sorted() { try set(name, to: values[name]!) }
        try validate()
    }

    /// Changes one option.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if there is none of this name, or it
    ///   doesn't take the value.
    public mutating func set(_ name: String, to value: OptionValue) throws {
        guard let field = Self.fields.first(where: { $0.name == name }) else {
            let names = Self.fields.map(\.name)
            throw RecurrentError.invalidOption("there is no option `\(name)`" + Suggestion.text(name, in: names))
        }
        field.write(&self, try field.kind.check(value, for: name))
    }

    /// Checks each option's bounds, then how they go together.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the first option that is wrong.
    public func check() throws {
        for field in Self.fields { _ = try field.kind.check(field.read(self), for: field.name) }
        try validate()
    }

    public init(from decoder: any Decoder) throws {
        try self.init(optionValues: [String: OptionValue](from: decoder))
    }

    public func encode(to encoder: any Encoder) throws { try optionValues.encode(to: encoder) }
}

/// An option of a section whose type isn't known where it is shown: for help, for
/// parsing, and for comparing.
public struct OptionDescription: Sendable {
    /// As in `config.json`.
    public let name: String
    public let help: String
    public let kind: OptionKind
    /// The default.
    public let standard: OptionValue
    /// What a run must have for the option to do anything; nil if it always does something.
    public let condition: OptionCondition?
    /// Whether the option may change when a run is resumed.
    public let isResumable: Bool

    /// - Parameters:
    ///   - name: as in `config.json`: words joined by capitals.
    ///   - help: what the option does, in a sentence.
    ///   - kind: what it takes.
    ///   - standard: its default.
    ///   - condition: what a run must have for the option to do anything.
    ///   - isResumable: whether it may change when a run is resumed.
    public init(
        name: String, help: String, kind: OptionKind, standard: OptionValue, condition: OptionCondition? = nil,
        isResumable: Bool = false
    ) {
        (self.name, self.help, self.kind, self.standard) = (name, help, kind, standard)
        (self.condition, self.isResumable) = (condition, isResumable)
    }
}
