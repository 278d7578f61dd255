/// A data set whose token ids stand for words.
public protocol VocabularyProviding: Dataset {
    /// The words, in the order of their ids.
    var vocabulary: [String] { get }
}
