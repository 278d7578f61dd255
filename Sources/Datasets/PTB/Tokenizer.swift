import RecurrentCore

/// Splits text into words at blanks, or into their characters, and ends each line with `<eos>`.
struct Tokenizer {
    static let endOfLine = "<eos>"
    static let unknownWord = "<unk>"

    /// The token that separates two words if tokens are characters. It isn't a blank itself, as
    /// vocabularies are written one token per line and prompts are split at blanks.
    static let blank = "_"

    let level: PennTreebank.Level
    private(set) var words = WordTable()
    /// Whether the last token ended a line, or there has been no token yet.
    private var isAtLineStart = true

    init(level: PennTreebank.Level) { self.level = level }

    /// Returns the tokens of a text, which is read piece by piece.
    ///
    /// - Parameters:
    ///   - file: the text.
    ///   - isOpen: whether new words are added to the vocabulary; otherwise they become `<unk>`.
    /// - Throws: ``RecurrentCore/RecurrentError/dataset(_:)`` if a word isn't UTF-8 or has more
    ///   than ``longestWord`` bytes, ``RecurrentCore/RecurrentError/file(path:reason:)`` if
    ///   the file can't be read to its end.
    mutating func tokenize(_ file: FileReader, isOpen: Bool) throws -> [Int32] {
        var tokens: [Int32] = []
        tokens.reserveCapacity(file.size / 5)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.longestWord + Self.pieceSize, alignment: 16)
        defer { buffer.deallocate() }
        var line = 1, offset = 0, last = UInt8(ascii: "\n")
        /// The number of bytes left over from the previous piece: the beginning of a word.
        var held = 0
        while offset < file.size {
            let count = min(Self.pieceSize, file.size - offset)
            try file.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[held..<held + count]))
            offset += count
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<(held + count)])
            last = piece.last!
            let read = try tokenize(
                piece, isLast: offset == file.size, line: &line, into: &tokens, path: file.path, isOpen: isOpen)
            held = piece.count - read
            guard held <= Self.longestWord else {
                throw RecurrentError.dataset(
                    "\(file.path), line \(line): a word of more than \(Self.longestWord) bytes; words are separated by blanks"
                )
            }
            buffer.baseAddress!.copyMemory(from: buffer.baseAddress! + read, byteCount: held)
        }
        // A last line that has no line feed is still a line.
        if last != UInt8(ascii: "\n") { tokens.append(endOfLineToken(isOpen: isOpen)) }
        return tokens
    }

    /// The length of the longest word allowed, in bytes.
    static let longestWord = 1 << 16
    private static let pieceSize = 1 << 20

    /// Appends the tokens of one piece of the text.
    ///
    /// - Returns: the number of bytes that were read; a word at the end of a piece that isn't
    ///   the last may continue in the next one.
    private mutating func tokenize(
        _ text: UnsafeRawBufferPointer, isLast: Bool, line: inout Int, into tokens: inout [Int32], path: String,
        isOpen: Bool
    ) throws -> Int {
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
                if position == text.count, !isLast { return start }
                guard position - start <= Self.longestWord else { return start }
                let word = UnsafeRawBufferPointer(rebasing: text[start..<position])
                guard level == .words else {
                    try addCharacters(of: word, to: &tokens, path: path, line: line, isOpen: isOpen)
                    continue
                }
                tokens.append(try words.number(of: word) ?? newToken(word, path: path, line: line, isOpen: isOpen))
            }
        }
        return position
    }

    private mutating func addCharacters(
        of word: UnsafeRawBufferPointer, to tokens: inout [Int32], path: String, line: Int, isOpen: Bool
    ) throws {
        guard let string = String(validating: word, as: UTF8.self) else {
            throw RecurrentError.dataset("\(path), line \(line): not UTF-8 text; save it as UTF-8")
        }
        for scalar in ((isAtLineStart ? "" : Self.blank) + string).unicodeScalars {
            var character = String(scalar)
            tokens.append(
                try character.withUTF8 { bytes in
                    let bytes = UnsafeRawBufferPointer(bytes)
                    return try words.number(of: bytes) ?? newToken(bytes, path: path, line: line, isOpen: isOpen)
                })
        }
        isAtLineStart = false
    }

    /// Returns whether a byte is ASCII white space, including line ends.
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

    private mutating func endOfLineToken(isOpen: Bool) -> Int32 {
        isAtLineStart = true
        var word = Self.endOfLine
        return word.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            // An open text has at least one line, so a closed text, which is read later, finds the word.
            return words.number(of: bytes) ?? words.add(bytes)
        }
    }

    private mutating func newToken(
        _ word: UnsafeRawBufferPointer, path: String, line: Int, isOpen: Bool
    ) throws -> Int32 {
        // Blanks are single bytes that don't occur within any other character, so a text is
        // UTF-8 if each of its words is; only new words need to be checked.
        guard String(validating: word, as: UTF8.self) != nil else {
            throw RecurrentError.dataset("\(path), line \(line): not UTF-8 text; save it as UTF-8")
        }
        if isOpen { return words.add(word) }
        var unknown = Self.unknownWord
        // If the training text lacks the word, it is added here and remains untrained.
        return unknown.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            return words.number(of: bytes) ?? words.add(bytes)
        }
    }
}
