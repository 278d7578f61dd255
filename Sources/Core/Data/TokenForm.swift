/// The tokens of a corpus: how text is split into them, and how they form text again.
public enum TokenForm: Sendable, Equatable {
    /// Words, separated by blanks.
    case words
    /// Characters, with the token `blank` between two words: a space, which no character of a word can be.
    case characters(blank: String = " ")

    /// The blank of vocabularies that were made before it was a space.
    private static let formerBlank = "_"

    /// Returns the form that a vocabulary calls for.
    ///
    /// A vocabulary of characters that has `_` but no space takes `_` for the blank, as
    /// earlier versions and many corpora of characters do.
    public func fitting(_ vocabulary: [String]) -> TokenForm {
        guard self != .words, !vocabulary.contains(" "), vocabulary.contains(Self.formerBlank) else { return self }
        return .characters(blank: Self.formerBlank)
    }

    /// Returns whether a vocabulary of characters must include the blank, although its text has
    /// none: without it, `_` would be taken for the blank.
    package static func needsBlank(_ vocabulary: [String]) -> Bool {
        TokenForm.characters().fitting(vocabulary) != .characters()
    }

    /// The word for a token in messages: `word` or `character`.
    public var unit: String { self == .words ? "word" : "character" }

    /// Returns the tokens of a text as a corpus would have them, each line end as
    /// ``TextMarkup/endOfLine``; blanks at the end of a text of characters ask for a new word.
    public func tokens(of text: String) -> [String] {
        var tokens: [String] = []
        let bytes = Array(text.utf8)
        for (index, line) in TextMarkup.lines(bytes).enumerated() {
            if index > 0 { tokens.append(TextMarkup.endOfLine) }
            switch self {
            case .words:
                tokens += line.split(whereSeparator: TextMarkup.isBlank).map { String(decoding: $0, as: UTF8.self) }
            case .characters(let blank):
                let start = tokens.count
                for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
                    if !(UInt8(exactly: scalar.value).map(TextMarkup.isBlank) ?? false) {
                        tokens.append(String(scalar))
                    } else if tokens.count > start, tokens.last != blank {
                        // A run of blanks is one token, and a line begins with none.
                        tokens.append(blank)
                    }
                }
            }
        }
        if let last = bytes.last, TextMarkup.isLineEnd(last) { tokens.append(TextMarkup.endOfLine) }
        return tokens
    }

    /// Returns whether a text can have a token, other than those that are markup.
    package func isToken(_ token: String) -> Bool {
        switch self {
        case .words: !token.utf8.isEmpty && !token.utf8.contains(where: TextMarkup.isBlank)
        case .characters(let blank):
            token == blank
                || (token.unicodeScalars.count == 1 && !token.utf8.contains(where: TextMarkup.isBlank))
        }
    }

    /// Returns the text that a token adds after another one, or at the start of a line.
    public func text(of token: String, isAtLineStart: Bool) -> String {
        switch self {
        case .words: isAtLineStart ? token : " " + token
        case .characters(let blank): token == blank ? " " : token
        }
    }
}
