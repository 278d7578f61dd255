/// A data set whose token ids stand for words or characters.
public protocol VocabularyProviding: Dataset {
    /// Whether its tokens are words or characters; words by default.
    static var tokenForm: TokenForm { get }
    /// The tokens, in the order of their ids.
    var vocabulary: [String] { get }
}

extension VocabularyProviding {
    public static var tokenForm: TokenForm { .words }
}
