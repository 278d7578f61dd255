import RecurrentCore

/// `vocabulary.txt`: one token a line, in the order of the ids.
public enum VocabularyFile {
    /// In a run's folder.
    public static let name = "vocabulary.txt"
    /// The token at a line's end.
    public static let endOfLine = "<eos>"
    /// The token of words that the vocabulary lacks.
    public static let unknownWord = "<unk>"

    /// The tokens of a file.
    ///
    /// - Parameters:
    ///   - path: the file's.
    ///   - count: how many tokens it must hold; nil for any number.
    /// - Throws: ``RecurrentError/file(path:reason:)`` if it can't be read,
    ///   ``RecurrentError/checkpoint(path:reason:)`` if it isn't UTF-8, has an empty or
    ///   a repeated line, or another number of tokens.
    public static func read(_ path: String, count: Int? = nil) throws -> [String] {
        func flaw(_ reason: String) -> RecurrentError { .checkpoint(path: path, reason: reason) }
        // Cut at bytes: a String would take a carriage return and a line's end for one character.
        var lines = try FileReader.contents(of: path).split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        var seen: [ArraySlice<UInt8>: Int] = [:]
        let tokens = try lines.enumerated().map { index, bytes in
            guard let token = String(validating: bytes, as: UTF8.self) else {
                throw flaw("line \(index + 1) isn't UTF-8 text")
            }
            guard !token.isEmpty else { throw flaw("line \(index + 1) is empty; each line holds one token") }
            if let first = seen.updateValue(index + 1, forKey: bytes) {
                throw flaw("holds '\(token.prefix(40))' twice, on lines \(first) and \(index + 1)")
            }
            return token
        }
        guard !tokens.isEmpty else { throw flaw("is empty; it must hold one token a line, in the order of the ids") }
        if let count, tokens.count != count {
            throw flaw("holds \(tokens.count) tokens, but the model has \(count)")
        }
        return tokens
    }

    /// Writes the tokens, one a line.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)``.
    public static func write(_ tokens: [String], to path: String) throws {
        try AtomicFile.write(Array((tokens.joined(separator: "\n") + "\n").utf8), to: path)
    }
}
