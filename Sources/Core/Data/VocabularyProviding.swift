/// A data set whose token ids stand for words or characters.
public protocol VocabularyProviding: DatasetPlugin {
    /// Whether its tokens are words or characters; words by default.
    static var tokenForm: TokenForm { get }
    /// The tokens, in the order of their ids.
    var vocabulary: [String] { get }
    /// Creates the data set with the vocabulary of an existing model.
    ///
    /// The vocabulary alone decides what a word is: a word that isn't in it is
    /// ``TextMarkup/unknownWord`` in every split, whatever the training text holds.
    ///
    /// - Parameters:
    ///   - options: the data set's own options.
    ///   - seed: the seed of the run.
    ///   - vocabulary: the tokens in the order of their ids, without duplicates.
    ///   - splits: the splits that will be used; the texts of the others may be missing.
    /// - Throws: ``RecurrentError/dataset(_:)`` if the data can't be read, or has a word that isn't in the
    ///   vocabulary, which has no ``TextMarkup/unknownWord`` either.
    init(options: Options, seed: UInt64, vocabulary: [String], splits: Set<Split>) throws
    /// Returns how many tokens of a split are ``TextMarkup/unknownWord`` because the vocabulary lacks
    /// their word; nil if that isn't counted, which is the default.
    func unknownTokens(_ split: Split) -> UnknownTokens?
}

extension VocabularyProviding {
    public static var tokenForm: TokenForm { .words }
    public func unknownTokens(_ split: Split) -> UnknownTokens? { nil }
    /// Creates the data set with the vocabulary of an existing model, and all its splits.
    ///
    /// - Parameters:
    ///   - options: the data set's own options.
    ///   - seed: the seed of the run.
    ///   - vocabulary: the tokens in the order of their ids, without duplicates.
    /// - Throws: what ``init(options:seed:vocabulary:splits:)`` throws.
    public init(options: Options, seed: UInt64, vocabulary: [String]) throws {
        try self.init(options: options, seed: seed, vocabulary: vocabulary, splits: Split.all)
    }
}

/// The number of tokens of a text that a vocabulary lacks.
///
/// Where the text itself has ``TextMarkup/unknownWord``, as the Penn Treebank does, that is a known token.
public struct UnknownTokens: Sendable, Equatable {
    /// The number of tokens that the vocabulary lacks.
    public let count: Int
    /// The number of all tokens of the text.
    public let total: Int
    /// The unknown tokens as a share of all tokens; 0 for a text without tokens.
    public var share: Double { total == 0 ? 0 : Double(count) / Double(total) }

    /// Creates the number of unknown tokens among all tokens of a text.
    public init(count: Int, total: Int) {
        self.count = count
        self.total = total
    }
}
