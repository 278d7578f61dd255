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
    /// - Throws: ``RecurrentError/dataset(_:)`` if the data can't be read, or has a word that isn't in the
    ///   vocabulary, which has no ``TextMarkup/unknownWord`` either.
    init(options: Options, seed: UInt64, vocabulary: [String]) throws
}

extension VocabularyProviding {
    public static var tokenForm: TokenForm { .words }
}
