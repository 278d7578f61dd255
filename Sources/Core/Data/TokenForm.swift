/// The tokens of a corpus: how text is split into them, and how they form text again.
public enum TokenForm: Sendable, Equatable {
    /// Words, separated by blanks.
    case words
    /// Characters, with the token `blank` between two words.
    case characters(blank: String)

    /// The word for a token in messages: `word` or `character`.
    public var unit: String { self == .words ? "word" : "character" }

    /// Returns the tokens of a line. Only ASCII white space separates words, as in a corpus;
    /// other white space may be part of a word.
    public func tokens(of text: String) -> [String] {
        switch self {
        case .words: text.utf8.split { Self.isBlank(UInt32($0)) }.map { String($0)! }
        case .characters(let blank):
            text.unicodeScalars.reduce(into: []) { tokens, scalar in
                if !Self.isBlank(scalar.value) {
                    tokens.append(String(scalar))
                } else if let last = tokens.last, last != blank {
                    // A run of blanks is one token, and a line begins with none; a blank at its
                    // end is kept, as it asks for a new word.
                    tokens.append(blank)
                }
            }
        }
    }

    /// Returns the text that a token adds after another one, or at the start of a line.
    public func text(of token: String, isAtLineStart: Bool) -> String {
        switch self {
        case .words: isAtLineStart ? token : " " + token
        case .characters(let blank): token == blank ? " " : token
        }
    }

    private static func isBlank(_ code: UInt32) -> Bool { code == 0x20 || (0x09...0x0D).contains(code) }
}
