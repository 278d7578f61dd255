/// One option of a section: its name, its kind of value, and the property that holds it.
///
///     static let fields: [OptionField<Self>] = [
///         .number("timeStep", \.timeStep, .above(0), "Δt of the discretised oscillators."),
///         .choice("damping", \.damping, "How velocities decay."),
///     ]
///
/// The name is the key in `config.json`; the command line offers it as `--time-step`.
public struct OptionField<Section>: Sendable {
    /// The key in `config.json`, in camel case, such as `timeStep`.
    public let name: String
    /// A sentence that says what the option does.
    public let help: String
    /// The type of the option's values, with their bounds or choices.
    public let kind: OptionKind
    /// What a run must have for the option to do anything.
    public private(set) var conditions: Set<OptionCondition> = []
    /// Whether the option may change when a run is resumed.
    public private(set) var isResumable = false
    let read: @Sendable (Section) -> OptionValue
    /// Stores a value, which must be of ``kind``.
    let write: @Sendable (inout Section, OptionValue) -> Void

    private init(
        _ name: String, _ help: String, _ kind: OptionKind, read: @escaping @Sendable (Section) -> OptionValue,
        write: @escaping @Sendable (inout Section, OptionValue) -> Void
    ) {
        (self.name, self.help, self.kind, self.read, self.write) = (name, help, kind, read, write)
    }

    /// Creates a field for a property, given how its values are wrapped and unwrapped.
    private init<Value>(
        _ name: String, _ help: String, _ kind: OptionKind, _ path: any WritableKeyPath<Section, Value> & Sendable,
        wrap: @escaping @Sendable (Value) -> OptionValue, unwrap: @escaping @Sendable (OptionValue) -> Value?
    ) {
        self.init(
            name, help, kind, read: { wrap($0[keyPath: path]) },
            write: { section, value in if let value = unwrap(value) { section[keyPath: path] = value } })
    }

    /// Creates a field for a property that may be nil.
    private init<Value>(
        _ name: String, _ help: String, _ kind: OptionKind,
        optional path: any WritableKeyPath<Section, Value?> & Sendable,
        wrap: @escaping @Sendable (Value) -> OptionValue, unwrap: @escaping @Sendable (OptionValue) -> Value?
    ) {
        self.init(
            name, help, .optional(kind), read: { $0[keyPath: path].map(wrap) ?? .null },
            write: { $0[keyPath: path] = $1 == .null ? nil : unwrap($1) })
    }
}

extension OptionField {
    /// Returns the same option, which does nothing in a run that lacks this.
    public func needing(_ condition: OptionCondition) -> Self {
        var result = self
        result.conditions.insert(condition)
        return result
    }
    /// The same option, which may change when a run is resumed: nothing in the saved state
    /// depends on it.
    public var resumable: Self {
        var result = self
        result.isResumable = true
        return result
    }
}

extension OptionField {
    /// Returns an option that is on or off, such as `--tied` and `--no-tied`.
    public static func flag(_ name: String, _ path: any WritableKeyPath<Section, Bool> & Sendable, _ help: String)
        -> Self
    {
        Self(name, help, .flag, path, wrap: OptionValue.flag, unwrap: \.asFlag)
    }
    /// Returns an option that is a whole number in a range.
    public static func integer(
        _ name: String, _ path: any WritableKeyPath<Section, Int> & Sendable, _ range: ClosedRange<Int>, _ help: String
    ) -> Self {
        Self(name, help, .integer(range), path, wrap: OptionValue.integer, unwrap: \.asInteger)
    }
    /// Returns an option that is a whole number in a range, or none.
    public static func integer(
        _ name: String, _ path: any WritableKeyPath<Section, Int?> & Sendable, _ range: ClosedRange<Int>, _ help: String
    ) -> Self {
        Self(name, help, .integer(range), optional: path, wrap: OptionValue.integer, unwrap: \.asInteger)
    }
    /// Returns an option that is a seed of random numbers.
    public static func seed(_ name: String, _ path: any WritableKeyPath<Section, UInt64> & Sendable, _ help: String)
        -> Self
    {
        Self(name, help, .seed, path, wrap: OptionValue.init(seed:), unwrap: \.asSeed)
    }
    /// Returns an option that is a real number within bounds.
    public static func number(
        _ name: String, _ path: any WritableKeyPath<Section, Double> & Sendable, _ bounds: NumberBounds, _ help: String
    ) -> Self {
        Self(name, help, .number(bounds), path, wrap: OptionValue.number, unwrap: \.asNumber)
    }
    /// Returns an option that is a real number within bounds, or none.
    public static func number(
        _ name: String, _ path: any WritableKeyPath<Section, Double?> & Sendable, _ bounds: NumberBounds, _ help: String
    ) -> Self {
        Self(name, help, .number(bounds), optional: path, wrap: OptionValue.number, unwrap: \.asNumber)
    }
    /// Returns an option that is one case of an enumeration, given by its raw value.
    public static func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
        _ name: String, _ path: any WritableKeyPath<Section, Choice> & Sendable, _ help: String
    ) -> Self where Choice.RawValue == String {
        Self(
            name, help, .choice(Choice.allCases.map(\.rawValue)), path, wrap: { .text($0.rawValue) },
            unwrap: { $0.asText.flatMap(Choice.init(rawValue:)) })
    }
    /// Returns an option that is a set of cases of an enumeration, given by their raw values.
    public static func choices<Choice: RawRepresentable & CaseIterable & Hashable & Sendable>(
        _ name: String, _ path: any WritableKeyPath<Section, Set<Choice>> & Sendable, _ help: String
    ) -> Self where Choice.RawValue == String {
        Self(
            name, help, .choices(Choice.allCases.map(\.rawValue)), path,
            wrap: { chosen in .list(Choice.allCases.filter(chosen.contains).map { .text($0.rawValue) }) },
            unwrap: { value in value.asList.map { Set($0.compactMap { $0.asText.flatMap(Choice.init(rawValue:)) }) } })
    }
    /// Returns an option that is a list of whole numbers, each in a range.
    public static func integers(
        _ name: String, _ path: any WritableKeyPath<Section, [Int]> & Sendable, _ range: ClosedRange<Int>,
        _ help: String
    ) -> Self {
        Self(
            name, help, .integers(range), path, wrap: { .list($0.map(OptionValue.integer)) },
            unwrap: { $0.asList?.compactMap(\.asInteger) })
    }
    /// Returns an option that is any text, or none; help shows `word` for its value.
    public static func text(
        _ name: String, _ path: any WritableKeyPath<Section, String?> & Sendable, _ word: String, _ help: String
    ) -> Self {
        Self(name, help, .text(word), optional: path, wrap: OptionValue.text, unwrap: \.asText)
    }
    /// Returns an option that is the path of a folder or a file, or none; help shows `word` for
    /// its value.
    public static func path(
        _ name: String, _ path: any WritableKeyPath<Section, String?> & Sendable, _ word: String, _ help: String
    ) -> Self {
        Self(name, help, .path(word), optional: path, wrap: OptionValue.text, unwrap: \.asText)
    }
}

extension OptionValue {
    var asFlag: Bool? { if case .flag(let value) = self { value } else { nil } }
    var asInteger: Int? { if case .integer(let value) = self { value } else { nil } }
    var asNumber: Double? { if case .number(let value) = self { value } else { nil } }
    var asText: String? { if case .text(let value) = self { value } else { nil } }
    var asList: [OptionValue]? { if case .list(let values) = self { values } else { nil } }
    var asSeed: UInt64? {
        switch self {
        case .integer(let value): UInt64(exactly: value)
        case .unsigned(let value): value
        default: nil
        }
    }
}
