import RecurrentCore

/// The format of `vocabulary.txt`, which has one token per line, in the order of the ids.
public enum VocabularyFile {
    /// The name of the file in a run's folder.
    public static let name = "vocabulary.txt"

    /// Reads the tokens of a file; line ends and a byte order mark are no part of them, as described at
    /// ``RecurrentCore/TextMarkup``.
    ///
    /// - Parameters:
    ///   - path: the path of the file.
    ///   - count: the number of tokens that the file must hold; nil for any number.
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the file can't be read, and
    ///   ``RecurrentError/checkpoint(path:reason:)`` if it isn't UTF-8, has an empty or repeated line, or holds another
    ///   number of tokens.
    public static func read(_ path: String, count: Int? = nil) throws -> [String] {
        func flaw(_ reason: String) -> RecurrentError { .checkpoint(path: path, reason: reason) }
        let lines = TextMarkup.lines(try FileReader.contents(of: path))
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
        guard !tokens.isEmpty else { throw flaw("is empty; it must hold one token per line, in the order of the ids") }
        if let count, tokens.count != count {
            throw flaw("holds \(tokens.count) tokens, but the model has \(count)")
        }
        return tokens
    }

    /// Checks that a text can have each token of a file: no word contains a blank, and a character is one code point.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` for the first that it can't have.
    public static func check(_ tokens: [String], _ form: TokenForm, path: String) throws {
        let form = form.fitting(tokens)
        for (index, token) in tokens.enumerated() where token != TextMarkup.endOfLine {
            guard token != TextMarkup.unknownWord, !form.isToken(token) else { continue }
            let reason =
                form == .words
                ? "contains a blank, so no word of a text can be it" : "isn't one character; `dataset` ptb has words"
            throw RecurrentError.checkpoint(path: path, reason: "line \(index + 1): '\(token.prefix(40))' \(reason)")
        }
    }

    /// Returns the CRC-32C of the tokens in their order, as eight hexadecimal digits.
    ///
    /// It is that of the file that ``write(_:to:)`` writes, so other line ends in the file don't change it.
    public static func checksum(of tokens: [String]) -> String {
        var checksum = CRC32C()
        checksum.update(contents(tokens))
        return checksum.digits
    }

    private static func contents(_ tokens: [String]) -> [UInt8] { Array((tokens.joined(separator: "\n") + "\n").utf8) }

    /// Writes the tokens to a file, one per line.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if the file can't be written.
    public static func write(_ tokens: [String], to path: String) throws {
        try AtomicFile.write(contents(tokens), to: path)
    }
}
