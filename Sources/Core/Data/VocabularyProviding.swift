/// A data set whose token ids stand for words, or for characters.
public protocol VocabularyProviding: Dataset {
    /// What its tokens are. Default: words.
    static var tokenForm: TokenForm { get }
    /// The tokens, in the order of their ids.
    var vocabulary: [String] { get }
}

extension VocabularyProviding {
    public static var tokenForm: TokenForm { .words }
}
