import RecurrentCore

/// Language modelling on the Penn Treebank in Mikolov's preparation, or on any
/// text of the same form: one sentence per line, words separated by blanks.
///
/// The vocabulary is that of the training text, in order of first appearance, or that of
/// an existing model. Each line ends in `<eos>`; words that aren't in the vocabulary become
/// `<unk>`, which is added if the training text lacks it. What counts as a line end and as a
/// blank is described at ``RecurrentCore/TextMarkup``. Batches are
/// contiguous `[T, B]` streams: batch `i + 1` continues batch `i`, and the target of
/// each position is the next token.
///
///     let treebank = try PennTreebank(directory: "data/ptb", bptt: 35)
public struct PennTreebank: VocabularyProviding {
    public static let name = "ptb"
    public static let summary = "a corpus read word by word, such as the Penn Treebank"

    /// The words; a token is an index into them.
    public let vocabulary: [String]
    /// The number of steps T of a batch; the last batch of a split may have fewer.
    public let bptt: Int
    /// The unit that a token stands for: a word or a character.
    public let level: Level
    private let directory: String
    /// The texts that were opened.
    private let streams: [Split: TokenStream]

    /// The unit that a token stands for.
    public enum Level: Sendable {
        /// Words, with `<eos>` at the end of each line.
        case words
        /// Characters, with a space between two words and `<eos>` at the end of each line.
        case characters
    }

    /// Creates a data set from `ptb.train.txt`, `ptb.valid.txt` and `ptb.test.txt`, or from
    /// files so named without `ptb.`, in a directory.
    ///
    /// - Parameters:
    ///   - directory: the folder of the three texts.
    ///   - bptt: the number of steps T of a batch, at least 1.
    ///   - level: the unit that a token stands for.
    ///   - vocabulary: the tokens of an existing model in the order of their ids; nil for those of the
    ///     training text.
    ///   - splits: the splits that will be used. The texts of the others may be missing if `vocabulary` is
    ///     given; otherwise all texts are read, because the token ids depend on them.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for `bptt` below 1,
    ///   ``RecurrentCore/RecurrentError/dataset(_:)`` if a file is missing, empty or not UTF-8,
    ///   has a word of more than 65,536 bytes, or one that `vocabulary` has no token for, or if the
    ///   training text has only line ends.
    public init(
        directory: String, bptt: Int, level: Level = .words, vocabulary: [String]? = nil,
        splits: Set<Split> = Split.all
    ) throws {
        guard bptt >= 1 else {
            throw RecurrentError.invalidOption("the backpropagation length must be at least 1, not \(bptt)")
        }
        self.bptt = bptt
        self.directory = directory
        self.level = level
        let used = vocabulary == nil ? Split.allCases : Split.allCases.filter(splits.contains)
        let prefix = try Self.prefix(in: directory, used)
        var tokenizer = try Tokenizer(level: level, vocabulary: vocabulary)
        var streams: [Split: TokenStream] = [:]
        for split in used {
            let path = "\(directory)/\(prefix)\(split.rawValue).txt"
            let stream = try tokenizer.tokenize(Self.open(path, prefix, used), isOpen: split == .train)
            if split == .train { tokenizer.addNeededBlank() }
            guard stream.tokens.count >= 2 else {
                throw RecurrentError.dataset(
                    "\(path): is empty; it must hold the \(split.rawValue) text, one sentence a line")
            }
            streams[split] = stream
        }
        self.streams = streams
        self.vocabulary = vocabulary ?? tokenizer.words.words
        guard vocabulary != nil || streams[.train]!.hasSeveralTokens else {
            throw RecurrentError.dataset(
                "\(directory): the training text has no word but '\(self.vocabulary[0])'; there is nothing to predict")
        }
    }

    public var description: DatasetDescription {
        DatasetDescription(
            inputs: .tokens(vocabulary: vocabulary.count), targets: .positionClass(classes: vocabulary.count),
            isContinuous: true, metric: level == .words ? .perplexity : .bitsPerCharacter)
    }

    /// Returns all tokens of a split, in the order of the text.
    public func tokens(_ split: Split) -> [Int32] { stream(split).tokens }

    public func batchCount(_ split: Split, batchSize: Int) -> Int {
        precondition(batchSize >= 1, "a batch has at least one stream")
        return stream(split).batchCount(bptt: bptt, batchSize: batchSize)
    }

    /// Returns batch `index` of a split, which is the same in every epoch.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/dataset(_:)`` if the split has fewer than
    ///   two tokens for each of `batchSize` streams.
    public func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) throws -> Batch {
        guard batchCount(split, batchSize: batchSize) > 0 else {
            throw RecurrentError.dataset(
                "\(directory): the \(split.rawValue) text has \(tokens(split).count) tokens, too few for \(batchSize) streams; choose a batch size of at most \(tokens(split).count / 2)"
            )
        }
        return stream(split).batch(index, bptt: bptt, batchSize: batchSize)
    }

    public func unknownTokens(_ split: Split) -> UnknownTokens? {
        let stream = stream(split)
        return UnknownTokens(count: stream.unknownCount, total: stream.tokens.count)
    }

    private func stream(_ split: Split) -> TokenStream {
        guard let stream = streams[split] else { preconditionFailure("the \(split) text wasn't opened") }
        return stream
    }

    /// Returns the prefix of the files' names: one with which all three texts are there, or else the first text that is
    /// used.
    private static func prefix(in directory: String, _ used: [Split]) throws -> String {
        func has(_ prefix: String, _ split: Split) -> Bool {
            FileReader.exists("\(directory)/\(prefix)\(split.rawValue).txt")
        }
        let prefixes = ["ptb.", ""], first = used.first ?? .train
        if let prefix = prefixes.first(where: { prefix in Split.allCases.allSatisfy { has(prefix, $0) } })
            ?? prefixes.first(where: { has($0, first) })
        {
            return prefix
        }
        throw RecurrentError.dataset(
            "there is no ptb.\(first.rawValue).txt or \(first.rawValue).txt in '\(directory)'; name a directory that holds \(Self.files(used)) with `data` or PTB_DIR"
        )
    }

    /// Returns the names of the texts of some splits, for messages.
    private static func files(_ splits: [Split], prefix: String = "ptb.") -> String {
        let names = splits.map { "\(prefix)\($0.rawValue).txt" }
        return names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + names.last!
    }

    private static func open(_ path: String, _ prefix: String, _ used: [Split]) throws -> FileReader {
        do { return try FileReader(path) } catch RecurrentError.file(let path, let reason) {
            throw RecurrentError.dataset("\(path): \(reason); the directory must hold \(files(used, prefix: prefix))")
        }
    }
}
