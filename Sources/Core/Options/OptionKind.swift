/// The type of an option's values, with their bounds or choices.
public indirect enum OptionKind: Sendable, Hashable {
    /// A truth value.
    case flag
    /// A whole number in a range.
    case integer(ClosedRange<Int>)
    /// An unsigned whole number of 64 bits.
    case seed
    /// A real number within bounds.
    case number(NumberBounds)
    /// One of the given names.
    case choice([String])
    /// Any number of the given names.
    case choices([String])
    /// A list of whole numbers, each in a range.
    case integers(ClosedRange<Int>)
    /// Any text; help shows the given word for it.
    case text(String)
    /// The path of a folder or file, which help shows as the given word; one that is given
    /// on the command line becomes absolute.
    case path(String)
    /// A value of another kind, or none.
    case optional(OptionKind)

    /// The placeholder for a value in help, such as `n`, `x` or `after|before`; empty for a flag.
    public var placeholder: String {
        switch self {
        case .flag: ""
        case .integer, .seed: "n"
        case .number: "x"
        case .choice(let names): names.joined(separator: "|")
        case .choices: "name,…"
        case .integers: "n,n,…"
        case .text(let word), .path(let word): word
        case .optional(let kind): kind.placeholder
        }
    }

    /// The bounds or choices in words, to follow “must be”.
    public var requirement: String {
        switch self {
        case .flag: "true or false"
        case .integer(let range), .integers(let range):
            range.lowerBound == .min && range.upperBound == .max
                ? "a whole number"
                : range.upperBound == .max
                    ? "at least \(range.lowerBound)" : "in \(range.lowerBound)...\(range.upperBound)"
        case .seed: "a whole number from 0 to \(UInt64.max)"
        case .number(let bounds): bounds.description
        case .choice(let names): Self.either(names)
        case .choices(let names): "some of \(names.joined(separator: ", "))"
        case .text(let word), .path(let word): "a \(word)"
        case .optional(let kind): kind.requirement
        }
    }

    /// Returns a list such as `a, b or c`.
    package static func either(_ names: [String]) -> String {
        names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
    }

    /// Returns the value that a text on the command line stands for.
    ///
    /// - Parameters:
    ///   - text: the text of the value.
    ///   - name: the option's name, for the message.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the option if the text isn't a
    ///   value of this kind.
    public func parse(_ text: String, for name: String) throws -> OptionValue {
        let value: OptionValue?
        let isNone = text.lowercased() == "none"
        switch self {
        case .optional(let kind): return isNone ? .null : try kind.parse(text, for: name)
        case .flag: value = ["true": .flag(true), "false": .flag(false)][text.lowercased()]
        case .integer: value = Int(text).map(OptionValue.integer)
        case .seed: value = UInt64(text).map(OptionValue.init(seed:))
        case .number: value = Double(text).map(OptionValue.number)
        case .choice, .text: value = .text(text)
        case .path: value = .text(text.isEmpty ? text : DataFolder.absolute(text))
        case .choices:
            value = .list(isNone ? [] : try ListText.elements(text, of: "`\(name)`").map(OptionValue.text))
        case .integers(let range):
            let numbers = isNone ? [] : try ListText.elements(text, of: "`\(name)`").map { Int($0) }
            let isRight = numbers.allSatisfy { $0.map(range.contains) ?? false }
            value = isRight ? .list(numbers.map { .integer($0!) }) : nil
        }
        guard let value else {
            if case .integer(let range) = self, text.wholeMatch(of: /[+-]?[0-9]+/) != nil {
                throw outOfBounds(name, range, isBelow: text.hasPrefix("-"), text.excerpt)
            }
            if case .integers = self {
                throw RecurrentError.invalidOption(
                    "`\(name)` must be whole numbers, \(requirement) and separated by commas, or none, not '\(text.excerpt)'"
                )
            }
            throw mismatch(name, Double(text) == nil ? "'\(text.excerpt)'" : text.excerpt)
        }
        return try check(value, for: name)
    }

    /// Checks a value and returns its canonical form: whole numbers become real numbers where
    /// the kind asks for those, and names are spelled as in the kind.
    ///
    /// - Parameters:
    ///   - value: the value to check.
    ///   - name: the option's name, for the message.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the option if the value has another
    ///   type or is out of bounds.
    public func check(_ value: OptionValue, for name: String) throws -> OptionValue {
        switch (self, value) {
        case (.optional, .null): return .null
        case (.optional(let kind), _): return try kind.check(value, for: name)
        case (.flag, .flag), (.text, .text), (.path, .text): return value
        case (.integer(let range), .integer(let number)):
            try require(number, in: range, name)
            return value
        case (.seed, .integer(let number)) where number >= 0: return value
        case (.seed, .unsigned): return value
        case (.number(let bounds), .number(let number)):
            guard bounds.contains(number) else { throw mismatch(name, value.text, isOutOfBounds: true) }
            return value
        case (.number, .integer(let number)): return try check(.number(Double(number)), for: name)
        case (.choice(let names), .text(let text)):
            guard let found = Self.find(text, in: names) else { throw unknown(text, names, name) }
            return .text(found)
        case (.choices(let names), .list(let values)):
            let found = try values.map { value in
                guard case .text(let text) = value else { throw mismatch(name, value.described) }
                guard let found = Self.find(text, in: names) else { throw unknown(text, names, name) }
                return found
            }
            return .list(names.filter(found.contains).map(OptionValue.text))
        case (.integers(let range), .list(let values)):
            for value in values {
                guard case .integer(let number) = value else { throw mismatch(name, value.described) }
                guard range.contains(number) else { throw mismatch(name, value.text) }
            }
            return value
        // A whole number that is too large for an Int is still one.
        case (.integer(let range), .unsigned):
            throw outOfBounds(name, range, isBelow: false, value.text)
        case (.integer(let range), .number(let number)) where number.rounded() == number:
            throw outOfBounds(name, range, isBelow: number < 0, value.text)
        default: throw mismatch(name, value.described)
        }
    }

    private func require(_ number: Int, in range: ClosedRange<Int>, _ name: String) throws {
        guard number < range.lowerBound || number > range.upperBound else { return }
        throw outOfBounds(name, range, isBelow: number < range.lowerBound, "\(number)")
    }

    /// Returns the error about a whole number that isn't in a range.
    private func outOfBounds(_ name: String, _ range: ClosedRange<Int>, isBelow: Bool, _ shown: String)
        -> RecurrentError
    {
        // A lower bound of 0 or 1 goes without saying where the upper bound was exceeded.
        let bound =
            isBelow
            ? "at least \(range.lowerBound)"
            : range.lowerBound > 1 ? "in \(range.lowerBound)...\(range.upperBound)" : "at most \(range.upperBound)"
        return .invalidOption("`\(name)` must be \(bound), not \(shown)")
    }

    /// Returns the name that equals `text`, ignoring case if no name is exactly equal.
    package static func find(_ text: String, in names: [String]) -> String? {
        names.first { $0 == text } ?? names.first { $0.lowercased() == text.lowercased() }
    }

    /// Returns the error about a value that isn't of this kind or is out of its bounds.
    ///
    /// - Parameters:
    ///   - name: the option's name.
    ///   - shown: the value as the message shows it.
    ///   - isOutOfBounds: whether the value has the right type, so that only the bounds are named.
    private func mismatch(_ name: String, _ shown: String, isOutOfBounds: Bool = false) -> RecurrentError {
        let what: String =
            switch self {
            case .integer where !isOutOfBounds: "a whole number"
            case .number where !isOutOfBounds: "a number"
            case .choices: "a list of names (\(requirement))"
            case .integers: "a list of whole numbers, each \(requirement)"
            case .text(let word): "a text (\(word))" + (Double(shown) == nil ? "" : ", such as \"\(shown)\"")
            case .path(let word): "a text (\(word))"
            default: requirement
            }
        return .invalidOption("`\(name)` must be \(what), not \(shown)")
    }

    private func unknown(_ text: String, _ names: [String], _ name: String) -> RecurrentError {
        .invalidOption("`\(name)` must be \(requirement), not '\(text.excerpt)'" + Suggestion.text(text, in: names))
    }
}
