import RecurrentCore

/// A corpus in the token ids of a model that was trained with others: of another
/// text, or elsewhere.
///
/// Words that the model doesn't know become its `<unk>`.
public struct RenumberedCorpus: VocabularyProviding {
    /// The model's words.
    public let vocabulary: [String]
    private let corpus: any VocabularyProviding
    /// The model's id of each of the corpus's.
    private let ids: [Int32]

    /// The data set as the model numbers its words: itself, where the numbers agree.
    ///
    /// - Throws: ``RecurrentError/dataset(_:)`` if it has a word that the model
    ///   doesn't know, and the model has no `<unk>`.
    public static func fitting(_ dataset: any Dataset, to vocabulary: [String]) throws -> any Dataset {
        guard let corpus = dataset as? any VocabularyProviding,
            !corpus.vocabulary.elementsEqual(vocabulary, by: { $0.utf8.elementsEqual($1.utf8) })
        else { return dataset }
        let numbers = TokenNumbers(vocabulary)
        let unknown = numbers[VocabularyFile.unknownWord]
        let ids = try corpus.vocabulary.map { word in
            guard let id = numbers[word] ?? unknown else {
                throw RecurrentError.dataset(
                    "the corpus has the word '\(word.prefix(40))', which the model doesn't know, and the model has no \(VocabularyFile.unknownWord) to stand for it"
                )
            }
            return Int32(id)
        }
        return RenumberedCorpus(vocabulary: vocabulary, corpus: corpus, ids: ids)
    }

    /// The corpus's.
    public var name: String { corpus.name }
    public var description: DatasetDescription {
        let own = corpus.description
        return DatasetDescription(
            inputs: .tokens(vocabulary: vocabulary.count), targets: .positionClass(classes: vocabulary.count),
            isContinuous: own.isContinuous, metric: own.metric, baseline: own.baseline, loss: own.loss)
    }
    public func batchCount(_ split: Split, batchSize: Int) -> Int { corpus.batchCount(split, batchSize: batchSize) }

    public func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) throws -> Batch {
        let batch = try corpus.batch(split, epoch: epoch, index: index, batchSize: batchSize)
        guard case .tokens(let tokens) = batch.inputs else { preconditionFailure("a corpus gives tokens") }
        return Batch(
            steps: batch.steps, size: batch.size, inputs: .tokens(tokens.map { ids[Int($0)] }),
            targets: batch.targets.map { $0 < 0 ? $0 : ids[Int($0)] }, lengths: batch.lengths,
            startsSequences: batch.startsSequences)
    }
}
