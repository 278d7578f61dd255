import RecurrentCore

/// A lookup of the ids of a vocabulary's tokens.
///
/// Tokens are compared by their bytes, as in the tokenizer: Swift's own comparison treats an é of one code point and one
/// of two as equal, but a vocabulary may have both.
public struct TokenNumbers: Sendable {
    private let numbers: [ExactName: Int]

    /// Creates the lookup for a vocabulary.
    ///
    /// - Parameter vocabulary: the tokens in the order of their ids, without duplicates.
    public init(_ vocabulary: [String]) {
        numbers = Dictionary(uniqueKeysWithValues: vocabulary.enumerated().map { (ExactName($1), $0) })
    }

    /// Returns whether the vocabulary contains a token.
    public func contains(_ token: String) -> Bool { self[token] != nil }

    /// The id of a token; nil if the vocabulary doesn't contain it.
    public subscript(token: String) -> Int? { numbers[ExactName(token)] }
}
