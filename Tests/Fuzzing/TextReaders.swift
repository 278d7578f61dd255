import DigitsDataset
import PTBDataset
import RecurrentCore
import RecurrentRuns

/// The vocabulary of a run.
struct VocabularyReader: FuzzedReader {
    static let name = "vocabulary"
    static let words = ["<eos>", "<unk>", "\n", "\r", "the\n", "e\u{301}", "é"]
    private let folder: ScratchFolder
    init(_ folder: ScratchFolder) { self.folder = folder }

    var seeds: [[UInt8]] { ["the\ncat\n<eos>\n<unk>\n", "a\n_\n<eos>"].map { Array($0.utf8) } }

    func read(_ input: [UInt8]) throws {
        let path = try folder.write(input, to: "vocabulary.txt")
        let tokens = try VocabularyFile.read(path)
        try VocabularyFile.write(tokens, to: path)
        let again = try VocabularyFile.read(path, count: tokens.count)
        try require(again.elementsEqual(tokens) { $0.utf8.elementsEqual($1.utf8) }, "the tokens changed")
        let numbers = Vocabulary(tokens)
        try require(tokens.indices.allSatisfy { numbers[tokens[$0]] == $0 }, "a token has another number")
    }
}

/// The three texts of a corpus, separated by the byte 1E.
private struct Corpus {
    static let words = ["<eos>", "<unk>", "\u{1E}", "\n", " the", "_", "\r\n", "é", "e\u{301}", "\u{3000}"]
    static let seeds: [[UInt8]] = [
        "the cat sat\non the mat\n\u{1E}the dog sat\n\u{1E}on it\n", "a b\nc <unk>\n", " \na\n\u{1E}a\n\u{1E}b b",
        "ein_wort\u{1E}é è\n\u{1E}ein\n",
    ].map { Array($0.utf8) }
    /// A character that no text of the inputs that are written again has.
    private static let unknown = "\u{10FFFD}"
    let folder: ScratchFolder
    let level: PennTreebank.Level

    private func load(_ texts: [ArraySlice<UInt8>], vocabulary: [String]? = nil) throws -> PennTreebank {
        for (split, text) in zip(Split.allCases, texts) { try folder.write(text, to: "\(split.rawValue).txt") }
        return try PennTreebank(directory: folder.path, bptt: 3, level: level, vocabulary: vocabulary)
    }

    func read(_ input: [UInt8]) throws {
        var texts = input.split(separator: 0x1E, maxSplits: 2, omittingEmptySubsequences: false)
        while texts.count < Split.allCases.count { texts.append(Array("a b\n".utf8)[...]) }
        let corpus = try load(texts)
        let size = corpus.vocabulary.count
        try require(Set(corpus.vocabulary.map { Array($0.utf8) }).count == size, "a word has two numbers")
        for split in Split.allCases {
            let tokens = corpus.tokens(split)
            try require(tokens.allSatisfy { (0..<Int32(size)).contains($0) }, "a token is out of range")
            for index in 0..<corpus.batchCount(split, batchSize: 2) {
                let batch = try corpus.batch(split, epoch: 0, index: index, batchSize: 2)
                try require(batch.targets.count == batch.steps * batch.size, "a batch has the wrong size")
            }
        }
        if level == .characters, input.contains(Self.unknown.utf8.first!) { return }
        let written = Split.allCases.map { text(corpus, $0) }
        // A text may begin with the character of a byte order mark, so there must be a mark before it.
        let marked = written.map { Array(("\u{FEFF}" + $0).utf8)[...] }
        for again in [try load(marked), try load(marked, vocabulary: corpus.vocabulary)] {
            for split in Split.allCases {
                try require(again.tokens(split) == corpus.tokens(split), "the \(split) tokens changed")
            }
        }
        // A prompt is read like a corpus.
        let form = level == .words ? TokenForm.words : .characters()
        for (split, text) in zip(Split.allCases, written)
        where !text.unicodeScalars.contains(Self.unknown.unicodeScalars.first!) {
            let tokens = form.tokens(of: "\u{FEFF}" + text)
            let expected = corpus.tokens(split).map { corpus.vocabulary[Int($0)] }
            try require(tokens.elementsEqual(expected) { $0.utf8.elementsEqual($1.utf8) }, "a prompt has other tokens")
        }
    }

    /// Returns the text of a split that has the same tokens.
    private func text(_ corpus: PennTreebank, _ split: Split) -> String {
        corpus.tokens(split).map { token in
            switch corpus.vocabulary[Int(token)] {
            case "<eos>": "\n"
            case "<unk>" where level == .characters: Self.unknown
            case let word: level == .words ? word + " " : word
            }
        }.joined()
    }
}

/// A corpus read by words.
struct WordReader: FuzzedReader {
    static let name = "words"
    static let words = Corpus.words
    private let corpus: Corpus
    init(_ folder: ScratchFolder) { corpus = Corpus(folder: folder, level: .words) }
    var seeds: [[UInt8]] { Corpus.seeds }
    func read(_ input: [UInt8]) throws { try corpus.read(input) }
}

/// A corpus read by characters.
struct CharacterReader: FuzzedReader {
    static let name = "characters"
    static let words = Corpus.words
    private let corpus: Corpus
    init(_ folder: ScratchFolder) { corpus = Corpus(folder: folder, level: .characters) }
    var seeds: [[UInt8]] { Corpus.seeds }
    func read(_ input: [UInt8]) throws { try corpus.read(input) }
}

/// One of the four files of digits, chosen by the first byte; the others are valid.
struct ImageReader: FuzzedReader {
    static let name = "idx"
    static let words = ["\0\0\u{8}\u{3}", "\0\0\u{8}\u{1}", "\0\0\0\u{C}", "\u{1F}"]
    private let folder: ScratchFolder
    private static let names = [
        "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
    ]

    init(_ folder: ScratchFolder) throws {
        self.folder = folder
        for seed in seeds { try folder.write(seed.dropFirst(), to: Self.names[Int(seed[0])]) }
    }

    var seeds: [[UInt8]] {
        let pixels = (0..<24).map { UInt8($0) }, labels = (0..<12).map { UInt8($0 % 10) }
        return [
            [0, 0, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 2] + pixels, [1, 0, 0, 8, 1, 0, 0, 0, 12] + labels,
            [2, 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 7, 8], [3, 0, 0, 8, 1, 0, 0, 0, 1, 9],
        ]
    }

    func read(_ input: [UInt8]) throws {
        guard let first = input.first else { throw RecurrentError.dataset("no input") }
        let name = Self.names[Int(first) % Self.names.count], valid = seeds[Int(first) % Self.names.count]
        defer { _ = try? folder.write(valid.dropFirst(), to: name) }
        try folder.write(input.dropFirst(), to: name)
        let digits = try DigitsDataset(directory: folder.path)
        for split in Split.allCases {
            let batch = digits.batch(split, epoch: 0, index: 0, batchSize: 1)
            try require(batch.targets.allSatisfy { (0..<10).contains($0) }, "a label is out of range")
        }
    }
}
