/// What the tokens of a corpus are: how text is cut into them, and put together again.
public enum TokenForm: Sendable, Equatable {
    case words
    /// Characters; `blank` is the token between two words.
    case characters(blank: String)

    /// What a token is called, for messages.
    public var unit: String { self == .words ? "word" : "character" }

    /// The tokens of a line. Blanks are those of a corpus: others may be within a word.
    public func tokens(of text: String) -> [String] {
        switch self {
        case .words: text.utf8.split { Self.isBlank(UInt32($0)) }.map { String($0)! }
        case .characters(let blank):
            text.unicodeScalars.reduce(into: []) { tokens, scalar in
                if !Self.isBlank(scalar.value) {
                    tokens.append(String(scalar))
                } else if let last = tokens.last, last != blank {
                    // Several are one, and a line begins with none; the last one asks for a new word.
                    tokens.append(blank)
                }
            }
        }
    }

    /// How a token is shown after another one, or at a line's start.
    public func text(of token: String, isAtLineStart: Bool) -> String {
        switch self {
        case .words: isAtLineStart ? token : " " + token
        case .characters(let blank): token == blank ? " " : token
        }
    }

    private static func isBlank(_ code: UInt32) -> Bool { code == 0x20 || (0x09...0x0D).contains(code) }
}
