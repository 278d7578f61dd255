import RecurrentCore

/// Splits text into words at blanks, or into their characters, and ends each line with `<eos>`.
struct Tokenizer {
    let level: PennTreebank.Level
    private(set) var words: WordTable
    /// Whether the vocabulary is that of a model, to which no word may be added.
    private let isFixed: Bool
    /// The token between two words if tokens are characters.
    private let blank: String
    /// The number of tokens of the current text that the vocabulary lacks.
    private var unknownCount = 0
    /// The numbers of the characters of one byte, once they are known; -1 before.
    private var asciiNumbers = [Int32](repeating: -1, count: 128)

    /// Creates a tokenizer.
    ///
    /// - Parameters:
    ///   - level: the unit that a token stands for.
    ///   - vocabulary: the only tokens there may be; nil to collect them from the open texts.
    /// - Throws: ``RecurrentCore/RecurrentError/dataset(_:)`` if the vocabulary has a token twice.
    init(level: PennTreebank.Level, vocabulary: [String]? = nil) throws {
        self.level = level
        words = try WordTable(vocabulary ?? [])
        isFixed = vocabulary != nil
        guard case .characters(let blank) = TokenForm.characters().fitting(vocabulary ?? []) else {
            preconditionFailure("characters stay characters")
        }
        self.blank = blank
    }

    /// Where a text is being read.
    private struct Place {
        let path: String
        /// Whether new words are added to the vocabulary.
        let isOpen: Bool
        var line = 1
        /// Whether the last token ended a line, or there has been no token yet.
        var isAtLineStart = true
        /// Whether blanks separate the last character from the next.
        var hasBlank = false
        /// Whether the last byte was a carriage return, which a line feed would belong to.
        var isAfterReturn = false
    }

    /// Returns the tokens of a text, which is read piece by piece, and how many of them became `<unk>`.
    ///
    /// - Parameters:
    ///   - file: the text.
    ///   - isOpen: whether new words are added to the vocabulary; otherwise they become `<unk>`.
    /// - Throws: ``RecurrentCore/RecurrentError/dataset(_:)`` if a word isn't UTF-8, has more than
    ///   ``longestWord`` bytes, or is unknown to a fixed vocabulary without `<unk>`;
    ///   ``RecurrentCore/RecurrentError/file(path:reason:)`` if the file can't be read to its end.
    mutating func tokenize(_ file: FileReader, isOpen: Bool) throws -> TokenStream {
        var tokens: [Int32] = []
        unknownCount = 0
        tokens.reserveCapacity(file.size / (level == .words ? 5 : 1))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.longestWord + Self.pieceSize, alignment: 16)
        defer { buffer.deallocate() }
        var place = Place(path: file.path, isOpen: isOpen), offset = 0, last = TextMarkup.lineFeed
        /// The number of bytes left over from the previous piece: the beginning of a word.
        var held = 0
        while offset < file.size {
            let count = min(Self.pieceSize, file.size - offset)
            try file.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[held..<held + count]))
            let mark = offset == 0 && buffer[..<count].starts(with: TextMarkup.byteOrderMark)
            offset += count
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<(held + count)])
            last = piece.last!
            let read = try tokenize(
                piece, from: mark ? TextMarkup.byteOrderMark.count : 0, isLast: offset == file.size, place: &place,
                into: &tokens)
            held = piece.count - read
            guard held <= Self.longestWord else {
                throw RecurrentError.dataset(
                    "\(file.path), line \(place.line): a word of more than \(Self.longestWord) bytes; words are separated by blanks (for text without blanks, predict characters with `dataset` ptb-char)"
                )
            }
            buffer.baseAddress!.copyMemory(from: buffer.baseAddress! + read, byteCount: held)
        }
        // A last line that has no end is still a line.
        if !TextMarkup.isLineEnd(last) { tokens.append(try endOfLineToken(place)) }
        return TokenStream(tokens: tokens, unknownCount: unknownCount)
    }

    /// The length of the longest word allowed, in bytes.
    static let longestWord = 1 << 16
    private static let pieceSize = 1 << 20

    /// Appends the tokens of one piece of the text.
    ///
    /// - Returns: the position up to which the piece was read; a word or character at the end
    ///   of a piece that isn't the last may continue in the next one.
    private mutating func tokenize(
        _ text: UnsafeRawBufferPointer, from start: Int, isLast: Bool, place: inout Place, into tokens: inout [Int32]
    ) throws -> Int {
        var position = start
        while position < text.count {
            let byte = text[position]
            if TextMarkup.isBlank(byte) {
                if byte == TextMarkup.lineFeed, place.isAfterReturn {
                    place.isAfterReturn = false
                } else if TextMarkup.isLineEnd(byte) {
                    tokens.append(try endOfLineToken(place))
                    place.line += 1
                    (place.isAtLineStart, place.hasBlank) = (true, false)
                    place.isAfterReturn = byte == TextMarkup.carriageReturn
                } else {
                    (place.hasBlank, place.isAfterReturn) = (!place.isAtLineStart, false)
                }
                position += 1
                continue
            }
            place.isAfterReturn = false
            var end = position + 1
            switch level {
            case .words:
                while end < text.count, !TextMarkup.isBlank(text[end]) { end += 1 }
                if end == text.count, !isLast { return position }
                guard end - position <= Self.longestWord else { return position }
                tokens.append(try token(UnsafeRawBufferPointer(rebasing: text[position..<end]), place))
            case .characters:
                let count = Self.sequenceLength(byte)
                if position + count > text.count, !isLast { return position }
                end = min(position + count, text.count)
                if place.hasBlank { tokens.append(try token(blank, place)) }
                tokens.append(try character(UnsafeRawBufferPointer(rebasing: text[position..<end]), place))
                (place.isAtLineStart, place.hasBlank) = (false, false)
            }
            position = end
        }
        return position
    }

    /// Returns the number of bytes of the character that begins with this byte; 1 if none does.
    private static func sequenceLength(_ byte: UInt8) -> Int {
        byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
    }

    private mutating func character(_ bytes: UnsafeRawBufferPointer, _ place: Place) throws -> Int32 {
        guard bytes.count == 1, bytes[0] < 0x80 else { return try token(bytes, place) }
        let known = asciiNumbers[Int(bytes[0])]
        if known >= 0 { return known }
        let number = try token(bytes, place)
        // In an open text that follows, `<unk>` must not stand for the character any more.
        if words.number(of: bytes) != nil { asciiNumbers[Int(bytes[0])] = number }
        return number
    }

    private mutating func endOfLineToken(_ place: Place) throws -> Int32 { try token(TextMarkup.endOfLine, place) }

    /// Adds the blank if without it another token could be taken for it.
    mutating func addNeededBlank() {
        if level == .characters, !isFixed, TokenForm.needsBlank(words.words) { _ = words.add(blank) }
    }

    private mutating func token(_ word: String, _ place: Place) throws -> Int32 {
        var word = word
        return try word.withUTF8 { try token(UnsafeRawBufferPointer($0), place) }
    }

    /// Returns the number of a token, or that of `<unk>` if it is unknown and may not be added.
    private mutating func token(_ word: UnsafeRawBufferPointer, _ place: Place) throws -> Int32 {
        if let number = words.number(of: word) { return number }
        // Blanks are single bytes that don't occur within any other character, so a text is
        // UTF-8 if each of its words is; only new words need to be checked.
        guard let text = String(validating: word, as: UTF8.self) else {
            throw RecurrentError.dataset("\(place.path), line \(place.line): not UTF-8 text; save it as UTF-8")
        }
        guard !word.contains(0) else {
            throw RecurrentError.dataset(
                "\(place.path), line \(place.line): holds a zero byte, as UTF-16 does; save it as UTF-8 text")
        }
        if place.isOpen && !isFixed { return words.add(word) }
        unknownCount += 1
        if let unknown = words.number(of: TextMarkup.unknownWord) { return unknown }
        guard !isFixed else {
            let unit = level == .words ? "word" : "character"
            let lack =
                text == TextMarkup.unknownWord
                ? "no \(text), which the text has"
                : "neither the \(unit) '\(text.prefix(40))' nor \(TextMarkup.unknownWord) to stand for it"
            throw RecurrentError.dataset("\(place.path), line \(place.line): the model's vocabulary has \(lack)")
        }
        // If the training text lacks `<unk>`, it is added here and remains untrained. The end of
        // a line doesn't get here: an open text, which is read first, has at least one.
        return words.add(TextMarkup.unknownWord)
    }
}
