import RecurrentCore

/// A corpus whose token ids are translated into those of a model that was trained with a different vocabulary.
///
/// Words that the model doesn't know become `<unk>`.
public struct RenumberedCorpus: VocabularyProviding {
    /// The tokens of the model in the order of their ids.
    public let vocabulary: [String]
    private let corpus: any VocabularyProviding
    /// The model's token ids, by the ids of the corpus.
    private let ids: [Int32]

    /// Returns a data set in the token ids of a model, which is the data set itself if its ids are the same or it has no
    /// vocabulary.
    ///
    /// - Throws: ``RecurrentError/dataset(_:)`` if the data set has a word that the model doesn't know, and the model has
    ///   no `<unk>`.
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

    /// The name of the original corpus.
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
