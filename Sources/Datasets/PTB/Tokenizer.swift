import RecurrentCore

/// Cuts text into words at blanks, and ends each line in `<eos>`.
struct Tokenizer {
    static let endOfLine = "<eos>"
    static let unknownWord = "<unk>"

    private(set) var words = WordTable()

    /// The tokens of a text.
    ///
    /// - Parameters:
    ///   - path: for messages.
    ///   - isOpen: whether new words get numbers; otherwise they become `<unk>`.
    /// - Throws: ``RecurrentCore/RecurrentError/dataset(_:)`` if a word isn't UTF-8, or is
    ///   unknown and there's no `<unk>` to stand for it.
    mutating func tokenize(_ text: [UInt8], path: String, isOpen: Bool) throws -> [Int32] {
        var tokens: [Int32] = []
        tokens.reserveCapacity(text.count / 5)
        try text.withUnsafeBytes { text in
            var line = 1
            var position = 0
            while position < text.count {
                let byte = text[position]
                if byte == UInt8(ascii: "\n") {
                    tokens.append(endOfLineToken(isOpen: isOpen))
                    line += 1
                    position += 1
                } else if Self.isBlank(byte) {
                    position += 1
                } else {
                    let start = position
                    repeat { position += 1 } while position < text.count && !Self.isBlank(text[position])
                    let word = UnsafeRawBufferPointer(rebasing: text[start..<position])
                    tokens.append(try words.number(of: word) ?? newToken(word, path: path, line: line, isOpen: isOpen))
                }
            }
            // A last line without an end is a line all the same.
            if let last = text.last, last != UInt8(ascii: "\n") { tokens.append(endOfLineToken(isOpen: isOpen)) }
        }
        return tokens
    }

    /// White space of ASCII, the line's end included.
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

    private mutating func endOfLineToken(isOpen: Bool) -> Int32 {
        var word = Self.endOfLine
        return word.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            // An open text has at least one line, so a closed one, read after it, finds the word.
            return words.number(of: bytes) ?? words.add(bytes)
        }
    }

    private mutating func newToken(
        _ word: UnsafeRawBufferPointer, path: String, line: Int, isOpen: Bool
    ) throws -> Int32 {
        // Blanks are single bytes that occur within no other character, so that
        // a text is UTF-8 if each of its words is; only new words need a look.
        guard let string = String(validating: word, as: UTF8.self) else {
            throw RecurrentError.dataset("\(path), line \(line): not UTF-8 text; save it as UTF-8")
        }
        if isOpen { return words.add(word) }
        var unknown = Self.unknownWord
        guard let token = unknown.withUTF8({ words.number(of: UnsafeRawBufferPointer($0)) }) else {
            throw RecurrentError.dataset(
                "\(path), line \(line): '\(string.prefix(40))' doesn't occur in the training text, and that has no \(Self.unknownWord) to stand for it")
        }
        return token
    }
}
