import Foundation

/// The keys of a JSON text with their lines and values, for messages about a file.
///
/// Foundation's decoder says neither where a text stops being JSON nor where a key stands, and keeps one of two equal keys.
struct JSONOutline {
    /// A mistake in the text itself.
    struct Flaw: Error {
        let line: Int
        let reason: String
    }

    /// Where a key stands, and its value.
    struct Place {
        let line: Int
        let value: Value
    }

    /// A value, with as much of its contents as messages quote.
    enum Value: CustomStringConvertible {
        case object, list
        case text(String)
        /// A number, true, false or null, as it is written.
        case word(String)

        /// The text in quotation marks; nil for another value.
        var text: String? { if case .text(let text) = self { text } else { nil } }

        /// The value as a message shows it: `1e999`, `the text "x"`, `an object`.
        var description: String {
            switch self {
            case .object: "an object"
            case .list: "a list"
            case .text(let text): "the text \"\(text.excerpt)\""
            case .word(let word): word.excerpt
            }
        }
    }

    /// The places of all keys by their paths; the elements of a list have the path of the list.
    private(set) var places: [[String]: Place] = [:]

    /// Reads a text.
    ///
    /// - Throws: ``Flaw`` if it isn't JSON in UTF-8, or an object has two equal keys.
    init(_ data: Data) throws {
        guard let text = String(validating: data, as: UTF8.self) else {
            throw Flaw(line: 1, reason: "isn't text in UTF-8")
        }
        let mark = "\u{FEFF}"
        bytes = Array((text.hasPrefix(mark) ? text.dropFirst(mark.count) : text[...]).utf8)
        _ = try value([], depth: 0)
        if let next = next() { throw flaw("'\(next)' after the end of the object") }
        bytes = []
    }

    /// Returns the path of a key as messages show it, with dots between its parts.
    static func shown(_ path: [String]) -> String { path.map(\.excerpt).joined(separator: ".") }

    /// Returns the line of the only key with a name or a path, or of the plug-in of a kind; nil if there is none, or several.
    func line(of name: String) -> Int? {
        let nested = PluginKind(rawValue: name).map { ConfigurationFile.path(of: $0) }
        if let place = nested.flatMap({ places[$0 + ["name"]] ?? places[$0] }) { return place.line }
        let found = places.filter { $0.key.last?.excerpt == name || Self.shown($0.key) == name }
        return found.count == 1 ? found.first?.value.line : nil
    }

    private var bytes: [UInt8]
    private var index = 0, line = 1
    /// More than any configuration needs, and less than what the stack holds.
    private static let deepest = 64

    private func flaw(_ reason: String) -> Flaw { Flaw(line: line, reason: reason) }

    /// Returns the next character that isn't blank; nil at the end of the text.
    private mutating func next() -> Character? {
        while index < bytes.count, [9, 10, 13, 32].contains(bytes[index]) {
            if bytes[index] == 10 { line += 1 }
            index += 1
        }
        return index < bytes.count ? String(decoding: bytes[index...].prefix(4), as: UTF8.self).first : nil
    }

    private mutating func expected(_ what: String) -> Flaw {
        flaw(next().map { "\(what) is missing before '\($0)'" } ?? "the text ends where \(what) is missing")
    }

    private mutating func value(_ path: [String], depth: Int) throws -> Value {
        guard depth < Self.deepest else { throw flaw("is nested too deeply") }
        switch next() {
        case "{":
            try object(path, depth)
            return .object
        case "[":
            try elements(until: "]") { try _ = $0.value(path, depth: depth + 1) }
            return .list
        case "\"": return .text(try string())
        default:
            let end = bytes[index...].firstIndex { [9, 10, 13, 32].contains($0) || ",:[]{}\"".utf8.contains($0) }
            let word = String(decoding: bytes[index..<(end ?? bytes.count)], as: UTF8.self)
            guard !word.isEmpty else { throw expected("a value") }
            guard Self.isNumber(word) || ["true", "false", "null"].contains(word) else {
                throw flaw("'\(word.excerpt)' isn't a value; a text stands in quotation marks")
            }
            index += word.utf8.count
            return .word(word)
        }
    }

    /// Returns whether a word is a number of JSON: neither 01, 1. and .5 nor +1 and nan are.
    private static func isNumber(_ word: String) -> Bool {
        var rest = word.utf8[...]
        func take(_ isTaken: (UInt8) -> Bool) -> Bool {
            guard let byte = rest.first, isTaken(byte) else { return false }
            rest.removeFirst()
            return true
        }
        func takeDigits() -> Bool {
            let count = rest.count
            while take({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {}
            return rest.count < count
        }
        _ = take { $0 == UInt8(ascii: "-") }
        guard take({ $0 == UInt8(ascii: "0") }) || takeDigits() else { return false }
        if take({ $0 == UInt8(ascii: ".") }), !takeDigits() { return false }
        if take({ $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }) {
            _ = take { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
            guard takeDigits() else { return false }
        }
        return rest.isEmpty
    }

    private mutating func object(_ path: [String], _ depth: Int) throws {
        var seen: [String: Int] = [:]
        try elements(until: "}") { outline in
            guard outline.next() == "\"" else { throw outline.expected("a key in quotation marks") }
            let line = outline.line, key = try outline.string(), path = path + [key]
            if let first = seen.updateValue(line, forKey: key) {
                throw Flaw(
                    line: line, reason: "\"\(Self.shown(path))\" is given twice, first in line \(first); leave one out")
            }
            guard outline.next() == ":" else { throw outline.expected("a colon") }
            outline.index += 1
            outline.places[path] = Place(line: line, value: try outline.value(path, depth: depth + 1))
        }
    }

    /// Reads what is between two brackets, with commas between the elements.
    private mutating func elements(until end: Character, read: (inout Self) throws -> Void) throws {
        index += 1
        var isFirst = true
        while next() != end || !isFirst {
            try read(&self)
            isFirst = false
            let mark = next()
            guard mark == "," || mark == end else { throw expected("a comma or '\(end)'") }
            index += 1
            if mark == end { return }
            if next() == end { throw flaw("nothing follows the comma before '\(end)'") }
        }
        index += 1
    }

    /// Reads a text in quotation marks.
    private mutating func string() throws -> String {
        let start = index
        index += 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            guard bytes[index] >= 32 else { break }
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        if index < bytes.count, bytes[index] < 32, ![10, 13].contains(bytes[index]) {
            let code = String(bytes[index], radix: 16)
            let escape =
                bytes[index] == 9 ? "\\t" : "\\u" + String(repeating: "0", count: 4 - code.count) + code
            throw flaw("a text has a control character, which must be escaped: \(escape)")
        }
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
            throw flaw("a text has no closing quotation mark in its line")
        }
        index += 1
        guard let text = try? JSONDecoder().decode(String.self, from: Data(bytes[start..<index])) else {
            throw flaw(
                "\(String(decoding: bytes[start..<index], as: UTF8.self).excerpt) has an escape that JSON doesn't have")
        }
        return text
    }
}
