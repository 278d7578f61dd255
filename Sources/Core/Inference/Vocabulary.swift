/// The tokens of a language model in the order of their ids, and how they form text.
///
/// Tokens are compared by their bytes, as in the tokenizer: Swift's own comparison treats an é of one code point and one
/// of two as equal, but a vocabulary may have both.
public struct Vocabulary: Sendable, RandomAccessCollection {
    /// The tokens in the order of their ids.
    public let tokens: [String]
    /// Whether the tokens are words or characters.
    public let form: TokenForm
    private let numbers: [ExactName: Int]

    /// Creates a vocabulary.
    ///
    /// - Parameters:
    ///   - tokens: the tokens in the order of their ids, without duplicates.
    ///   - form: whether they are words or characters.
    public init(_ tokens: [String], form: TokenForm = .words) {
        self.tokens = tokens
        self.form = form.fitting(tokens)
        numbers = Dictionary(tokens.enumerated().map { (ExactName($1), $0) }) { first, _ in first }
        precondition(numbers.count == tokens.count, "a vocabulary holds each token once")
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { tokens.count }
    /// The token with an id.
    public subscript(id: Int) -> String { tokens[id] }
    /// The id of a token; nil if the vocabulary doesn't contain it.
    public subscript(token: String) -> Int? { numbers[ExactName(token)] }
    /// Returns whether the vocabulary contains a token.
    public func contains(_ token: String) -> Bool { self[token] != nil }

    /// The id of ``TextMarkup/endOfLine``, after which a new line or sentence begins; nil if there is none.
    public var endOfLine: Int? { self[TextMarkup.endOfLine] }
    /// The id of ``TextMarkup/unknownWord``; nil if there is none.
    public var unknown: Int? { self[TextMarkup.unknownWord] }

    /// Returns the ids of a text's tokens; ``TextMarkup/unknownWord`` stands for those that the vocabulary lacks.
    ///
    /// - Parameters:
    ///   - text: the text, in which each line end is ``TextMarkup/endOfLine``.
    ///   - willReplace: called with each token that ``TextMarkup/unknownWord`` stands for.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming a token that the vocabulary lacks, if it has no
    ///   ``TextMarkup/unknownWord`` either.
    public func ids(of text: String, willReplace: (String) -> Void = { _ in }) throws -> [Int] {
        try form.tokens(of: text).map { token in
            if let id = self[token] { return id }
            guard let unknown else {
                throw RecurrentError.invalidOption(
                    "the model doesn't know \(name(of: token)), and has no \(TextMarkup.unknownWord) to stand for it")
            }
            willReplace(token)
            return unknown
        }
    }

    /// Returns a token as messages name it, such as `the character 'x'`.
    public func name(of token: String) -> String {
        "\(form == .words ? "" : "the \(form.unit) ")'\(token.prefix(40))'"
    }

    /// Returns the text that tokens form.
    ///
    /// - Parameter ids: the ids of the tokens, each below ``count``.
    public func text(of ids: some Sequence<Int>) -> String {
        var text = "", isAtLineStart = true
        for id in ids {
            text += self.text(of: id, isAtLineStart: isAtLineStart)
            isAtLineStart = tokens[id] == TextMarkup.endOfLine
        }
        return text
    }

    /// Returns the text that a token adds after another one, or at the start of a line; the end of a line is `\n`.
    public func text(of id: Int, isAtLineStart: Bool) -> String {
        tokens[id] == TextMarkup.endOfLine ? "\n" : form.text(of: tokens[id], isAtLineStart: isAtLineStart)
    }
}
