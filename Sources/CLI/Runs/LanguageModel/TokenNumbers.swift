/// The ids of a vocabulary's tokens.
///
/// A token is its bytes, as for the tokenizer: to Swift's own comparison an é of one
/// code point and one of two are the same, and a vocabulary may have both.
public struct TokenNumbers: Sendable {
    private let numbers: [[UInt8]: Int]

    /// - Parameter vocabulary: the tokens in the order of their ids, none of them twice.
    public init(_ vocabulary: [String]) {
        numbers = Dictionary(uniqueKeysWithValues: vocabulary.enumerated().map { (Array($1.utf8), $0) })
    }

    /// The id of a token, if it has one.
    public subscript(token: String) -> Int? { numbers[Array(token.utf8)] }
}
