/// The parts of a text that are markup: line ends, the blanks between words, a byte order mark,
/// and the two tokens that stand for something that isn't a word.
///
/// The same holds for corpora, vocabularies and prompts. A line ends in LF, CR LF or CR, as
/// Python reads text. Words are separated by ASCII white space only; other white space may be
/// part of a word. A byte order mark counts as markup only at the start of a file.
public enum TextMarkup {
    /// The token for the end of a line.
    public static let endOfLine = "<eos>"
    /// The token for words that aren't in the vocabulary.
    public static let unknownWord = "<unk>"

    /// The byte order mark in UTF-8.
    package static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    package static let lineFeed = UInt8(ascii: "\n"), carriageReturn = UInt8(ascii: "\r")

    /// Returns whether a byte ends a line, alone or as part of CR LF.
    package static func isLineEnd(_ byte: UInt8) -> Bool { byte == lineFeed || byte == carriageReturn }

    /// Returns whether a byte of UTF-8 is ASCII white space, including line ends.
    package static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

    /// Returns the lines of a text, without their ends and the byte order mark; an end of line
    /// at the end of the text begins no further line.
    package static func lines(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = text.starts(with: byteOrderMark) ? byteOrderMark.count : 0
        while start < text.count {
            let end = text[start...].firstIndex(where: isLineEnd) ?? text.count
            lines.append(text[start..<end])
            let isPair = end + 1 < text.count && text[end] == carriageReturn && text[end + 1] == lineFeed
            start = end + (isPair ? 2 : 1)
        }
        return lines
    }
}
