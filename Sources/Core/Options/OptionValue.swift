/// The value of one option of any type, as the command line or `config.json` gives it,
/// before it becomes a property of a section.
public enum OptionValue: Sendable, Hashable {
    /// No value, for options that may be left out.
    case null
    /// A truth value.
    case flag(Bool)
    /// A whole number.
    case integer(Int)
    /// A whole number above `Int.max`, which a seed may be.
    case unsigned(UInt64)
    /// A real number.
    case number(Double)
    /// A text, such as a name or a path.
    case text(String)
    /// A list of values.
    case list([OptionValue])

    /// Creates the value of a seed; equal seeds always give equal values.
    public init(seed: UInt64) { self = Int(exactly: seed).map(OptionValue.integer) ?? .unsigned(seed) }

    /// The value as it is written on the command line: `none` for no value, and commas between
    /// the elements of a list.
    public var text: String {
        switch self {
        case .null: "none"
        case .flag(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .number(let value): Self.text(value)
        case .text(let value): value
        case .list(let values): values.isEmpty ? "none" : values.map(\.text).joined(separator: ",")
        }
    }

    /// The value with its type where it could be mistaken, for messages about a value of the wrong type: a text that looks
    /// like a number is no number. What is long is cut.
    package var described: String {
        switch self {
        case .text: "the text \(json)"
        case .list: "the list \(json.excerpt)"
        default: json
        }
    }

    /// The value as JSON has it, with long texts cut.
    private var json: String {
        switch self {
        case .null: "null"
        case .text(let value): "\"\(value.excerpt)\""
        case .list(let values): "[\(values.map(\.json).joined(separator: ", "))]"
        default: text
        }
    }

    /// Returns a number as people write it: 0.0001 instead of 1e-04, 20 instead of 20.0.
    private static func text(_ value: Double) -> String {
        if let whole = Int(exactly: value), whole.magnitude < 1_000_000 { return "\(whole)" }
        let text = "\(value)"
        guard let mark = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: mark)...]),
            (-9...0).contains(exponent)
        else { return text }
        let digits = text[..<mark].filter { $0 != "." && $0 != "-" }.replacing(/^0+/, with: "")
        let bare = digits.hasSuffix("0") && text[..<mark].contains(".") ? String(digits.dropLast()) : digits
        return (value < 0 ? "-" : "") + "0." + String(repeating: "0", count: -exponent - 1) + bare
    }
}

extension OptionValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByArrayLiteral
{
    public init(booleanLiteral value: Bool) { self = .flag(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(stringLiteral value: String) { self = .text(value) }
    public init(arrayLiteral elements: OptionValue...) { self = .list(elements) }
}

extension OptionValue: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .unsigned(value)
        } else if let value = try? container.decode(Double.self) {
            // Rounded to a Double, the number may be whole; written and read again, it would be one of these.
            self = Int(exactly: value).map(Self.integer) ?? UInt64(exactly: value).map(Self.unsigned) ?? .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else {
            self = .list(try container.decode([OptionValue].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .unsigned(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let values): try container.encode(values)
        }
    }
}
