import RecurrentCore

extension PennTreebank {
    /// The folder of the corpus, and the length of its batches.
    public struct Options: OptionSection {
        /// The folder of the three texts; if nil, the one that `PTB_DIR` names.
        public var data: String?
        /// The number of steps T of truncated backpropagation.
        public var bptt = 35
        public init() {}
        public static let fields: [OptionField<Self>] = [.corpus(\.data), .bptt(\.bptt)]
    }

    public static func resolve(_ options: Options) throws -> Options {
        var options = options
        options.data = try corpusFolder(options.data, name)
        return options
    }

    public init(options: Options, seed: UInt64) throws {
        try self.init(directory: Self.corpusFolder(options.data, Self.name), bptt: options.bptt)
    }

    public init(options: Options, seed: UInt64, vocabulary: [String], splits: Set<Split>) throws {
        try self.init(
            directory: Self.corpusFolder(options.data, Self.name), bptt: options.bptt, vocabulary: vocabulary,
            splits: splits)
    }

    /// Sets the defaults to the paper's Table 9, except for the learning rate, which takes 300
    /// epochs there.
    public static func adjust(_ defaults: inout RunDefaults) {
        defaults.model.embeddingSize = 400
        defaults.model.hiddenSize = 200
        defaults.model.dropout = 0.2
        defaults.model.dropoutPlaces = [.embedding, .output]
        defaults.model.tableInitialization = .languageModel
        defaults.training.batchSize = 80
        defaults.training.evaluationBatchSize = 10
        defaults.training.clipRecurrent = 0.25
        defaults.training.epochs = 10
    }

    fileprivate static func corpusFolder(_ given: String?, _ name: String) throws -> String {
        try DataFolder.resolve(
            given, variable: "PTB_DIR", files: "ptb.train.txt, ptb.valid.txt and ptb.test.txt", dataset: name)
    }
}

/// A corpus read character by character: ``PennTreebank`` at the level of characters.
public struct PennTreebankCharacters: VocabularyProviding {
    public static let name = "ptb-char"
    public static let summary = "a corpus read character by character"
    /// The folder of the corpus, and the length of its batches.
    public struct Options: OptionSection {
        /// The folder of the three texts; if nil, the one that `PTB_DIR` names.
        public var data: String?
        /// The number of steps T of truncated backpropagation.
        public var bptt = 150
        public init() {}
        public static let fields: [OptionField<Self>] = [.corpus(\.data), .bptt(\.bptt)]
    }
    private let corpus: PennTreebank

    public static func resolve(_ options: Options) throws -> Options {
        var options = options
        options.data = try PennTreebank.corpusFolder(options.data, name)
        return options
    }

    public init(options: Options, seed: UInt64) throws {
        try self.init(options, vocabulary: nil, splits: Split.all)
    }
    public init(options: Options, seed: UInt64, vocabulary: [String], splits: Set<Split>) throws {
        try self.init(options, vocabulary: vocabulary, splits: splits)
    }
    private init(_ options: Options, vocabulary: [String]?, splits: Set<Split>) throws {
        corpus = try PennTreebank(
            directory: PennTreebank.corpusFolder(options.data, Self.name), bptt: options.bptt, level: .characters,
            vocabulary: vocabulary, splits: splits)
    }

    /// Sets the sizes and batch size of Kerg et al. 2019 (nnRNN), whose T is the default of
    /// `bptt`, and a tenth of the learning rate for the skew parameters as they do. Gradients
    /// are clipped to norm 1, as in Krueger et al. 2017 (zoneout). If training starts from
    /// W = I, states that carry over from batch to batch lead to losses far above chance; if it
    /// starts from rotations, they don't.
    public static func adjust(_ defaults: inout RunDefaults) {
        defaults.model.embeddingSize = 200
        defaults.model.hiddenSize = 1024
        defaults.model.dropoutPlaces = [.embedding, .output]
        defaults.model.tableInitialization = .languageModel
        defaults.training.batchSize = 128
        defaults.training.evaluationBatchSize = 10
        defaults.training.manifoldLearningRate = 1e-4
        defaults.training.clipNorm = 1
        defaults.training.epochs = 20
        defaults.skewInitialization = "henaff"
    }

    public static var tokenForm: TokenForm { .characters() }
    public var vocabulary: [String] { corpus.vocabulary }
    public var description: DatasetDescription { corpus.description }
    public func unknownTokens(_ split: Split) -> UnknownTokens? { corpus.unknownTokens(split) }
    public func batchCount(_ split: Split, batchSize: Int) -> Int { corpus.batchCount(split, batchSize: batchSize) }
    public func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) throws -> Batch {
        try corpus.batch(split, epoch: epoch, index: index, batchSize: batchSize)
    }
}

extension OptionField {
    fileprivate static func corpus(_ path: any WritableKeyPath<Section, String?> & Sendable) -> Self {
        .path("data", path, "folder", "Folder of the corpus (default: $PTB_DIR).")
    }
    fileprivate static func bptt(_ path: any WritableKeyPath<Section, Int> & Sendable) -> Self {
        .integer("bptt", path, 1...TrainingConfiguration.largestSize, "Number of steps of truncated backpropagation.")
    }
}
