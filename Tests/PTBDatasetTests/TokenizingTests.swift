import Foundation
import PTBDataset
import RecurrentCore
import Testing

@Test func wordsAreNumberedInOrderOfAppearanceInTheTrainingText() throws {
    let corpus = try TemporaryCorpus(
        train: " the cat sat \n the <unk> N\n", valid: " the dog sat\n", test: "cat\n\nthe\n")
    let treebank = try PennTreebank(directory: corpus.directory, bptt: 5)
    #expect(treebank.vocabulary == ["the", "cat", "sat", "<eos>", "<unk>", "N"])
    #expect(treebank.tokens(.train) == [0, 1, 2, 3, 0, 4, 5, 3])
    #expect(treebank.tokens(.valid) == [0, 4, 2, 3])
    // An empty line counts as a line.
    #expect(treebank.tokens(.test) == [1, 3, 3, 0, 3])
    #expect(treebank.description.inputs == .tokens(vocabulary: 6))
    #expect(treebank.description.targets == .positionClass(classes: 6))
    #expect(treebank.description.isContinuous)
}

@Test func filesMayGoWithoutPrefixLinesWithoutEndAndBlanksBeTabs() throws {
    let corpus = try TemporaryCorpus([
        "train.txt": "a\tb\r\n  naïve 世界  a", "valid.txt": "世界 b", "test.txt": "a b a",
    ])
    let treebank = try PennTreebank(directory: corpus.directory, bptt: 5)
    #expect(treebank.vocabulary == ["a", "b", "<eos>", "naïve", "世界"])
    #expect(treebank.tokens(.train) == [0, 1, 2, 3, 4, 0, 2])
    #expect(treebank.tokens(.valid) == [4, 1, 2])
}

/// Compares the tokens with Swift's own splitting, for more words than the table starts
/// with and more text than is read at once.
@Test func manyWordsAgreeWithANaiveTokenizer() throws {
    let words = (0..<400_000).map { "w\($0 * 7919 % 40_009)" }
    let lines = stride(from: 0, to: words.count, by: 17).map {
        words[$0..<min($0 + 17, words.count)].joined(separator: " ")
    }
    let text = lines.joined(separator: "\n") + "\n"
    let corpus = try TemporaryCorpus(train: text, valid: "w0 w1\n", test: "w1\n")
    let treebank = try PennTreebank(directory: corpus.directory, bptt: 5)

    var numbers: [String: Int32] = [:]
    var vocabulary: [String] = []
    var tokens: [Int32] = []
    for line in lines {
        for word in line.split(separator: " ").map(String.init) + ["<eos>"] {
            if numbers[word] == nil {
                numbers[word] = Int32(vocabulary.count)
                vocabulary.append(word)
            }
            tokens.append(numbers[word]!)
        }
    }
    #expect(vocabulary.count == 40_010)
    #expect(treebank.vocabulary == vocabulary)
    #expect(treebank.tokens(.train) == tokens)
}

@Test func aTrainingTextWithoutAStandInGetsOne() throws {
    let corpus = try TemporaryCorpus(train: "a b\n", valid: "a zebra\n", test: "lion b\n")
    let treebank = try PennTreebank(directory: corpus.directory, bptt: 5)
    #expect(treebank.vocabulary == ["a", "b", "<eos>", "<unk>"])
    #expect(treebank.tokens(.valid) == [0, 3, 2] && treebank.tokens(.test) == [3, 1, 2])
}

@Test func tokensMayBeCharacters() throws {
    let corpus = try TemporaryCorpus(train: " ab a \n\nä b\n", valid: "b a\n", test: "ax\n")
    let treebank = try PennTreebank(directory: corpus.directory, bptt: 5, level: .characters)
    #expect(PennTreebankCharacters.name == "ptb-char" && treebank.description.metric == .bitsPerCharacter)
    #expect(treebank.vocabulary == ["a", "b", " ", "<eos>", "ä", "<unk>"])
    #expect(treebank.tokens(.train) == [0, 1, 2, 0, 3, 3, 4, 2, 1, 3])
    #expect(treebank.tokens(.valid) == [1, 2, 0, 3] && treebank.tokens(.test) == [0, 5, 3])
}

/// Lines may have any length.
@Test func aLineOfTenMegabytes() throws {
    let count = 2_500_000
    let corpus = try TemporaryCorpus(
        train: String(repeating: "abc ", count: count) + "\nd\n", valid: "abc d\n", test: "abc d\n")
    let tokens = try PennTreebank(directory: corpus.directory, bptt: 5).tokens(.train)
    #expect(tokens.count == count + 3)
    #expect(tokens.prefix(count).allSatisfy { $0 == 0 } && tokens.suffix(3) == [1, 2, 1])
}

@Suite struct Refusals {
    private func refusal(_ corpus: TemporaryCorpus, bptt: Int = 5) -> String? {
        do {
            _ = try PennTreebank(directory: corpus.directory, bptt: bptt)
            return nil
        } catch { return "\(error)".replacingOccurrences(of: corpus.directory, with: "DIR") }
    }

    @Test func missingFiles() throws {
        #expect(
            try refusal(TemporaryCorpus([:]))
                == "there is no ptb.train.txt or train.txt in 'DIR'; name a directory that holds ptb.train.txt, ptb.valid.txt and ptb.test.txt with `data` or PTB_DIR"
        )
        #expect(
            try refusal(TemporaryCorpus(["train.txt": "a b\n", "valid.txt": "a b\n"]))
                == "DIR/test.txt: no such file or directory; the directory must hold train.txt, valid.txt and test.txt")
    }

    @Test func emptyTexts() throws {
        #expect(
            try refusal(TemporaryCorpus(train: "", valid: "a b\n", test: "a b\n"))
                == "DIR/ptb.train.txt: is empty; it must hold the train text, one sentence a line")
        #expect(
            try refusal(TemporaryCorpus(train: "a b\n", valid: "\n", test: "a b\n"))
                == "DIR/ptb.valid.txt: is empty; it must hold the valid text, one sentence a line")
    }

    @Test func brokenText() throws {
        let corpus = try TemporaryCorpus(train: "", valid: "a b\n", test: "a b\n")
        // An invalid byte, a truncated sequence, an overlong form, a surrogate.
        for bytes in [[0xFF], [0xE4, 0xB8], [0xC0, 0xAF], [0xED, 0xA0, 0x80]] as [[UInt8]] {
            try corpus.write(Data("a b\nc ".utf8) + Data(bytes) + Data(" d\n".utf8), to: "ptb.train.txt")
            #expect(refusal(corpus) == "DIR/ptb.train.txt, line 2: not UTF-8 text; save it as UTF-8")
        }
    }

    @Test(arguments: [PennTreebank.Level.words, .characters]) func zeroBytes(level: PennTreebank.Level) throws {
        let corpus = try TemporaryCorpus(train: "a b\nc\0 d\n", valid: "a b\n", test: "a b\n")
        #expect(
            throws: RecurrentError.dataset(
                "\(corpus.directory)/ptb.train.txt, line 2: holds a zero byte, as UTF-16 does; save it as UTF-8 text")
        ) { try PennTreebank(directory: corpus.directory, bptt: 5, level: level) }
    }

    @Test func wordsWithoutEnd() throws {
        let word = String(repeating: "a", count: 1 << 16)
        #expect(try refusal(TemporaryCorpus(train: "b \(word)\n", valid: "b b\n", test: "b b\n")) == nil)
        for end in ["a c\n", "a", String(repeating: "a", count: 3_000_000)] {
            #expect(
                try refusal(TemporaryCorpus(train: "b\nc \(word)\(end)", valid: "b b\n", test: "b b\n"))
                    == "DIR/ptb.train.txt, line 2: a word of more than 65536 bytes; words are separated by blanks (for text without blanks, predict characters with `dataset` ptb-char)"
            )
        }
    }

    @Test func oneWord() throws {
        #expect(
            try refusal(TemporaryCorpus(train: "\n\n\n", valid: "\n\n", test: "\n\n"))
                == "DIR: the training text has no word but '<eos>'; there is nothing to predict")
        // Words of the other texts are no help.
        #expect(try refusal(TemporaryCorpus(train: "\n\n", valid: "a b\n", test: "a b\n")) != nil)
        #expect(try refusal(TemporaryCorpus(train: "a a a", valid: "a a", test: "a a")) == nil)
    }

    @Test func backpropagationLength() throws {
        #expect(
            try refusal(TemporaryCorpus(train: "a b\n", valid: "a b\n", test: "a b\n"), bptt: 0)
                == "the backpropagation length must be at least 1, not 0")
    }
}
