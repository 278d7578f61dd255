import Foundation
import PTBDataset
import RecurrentCore
import Testing

/// What is text, and what is markup.
struct MarkupTests {
    private static let mark = "\u{FEFF}"

    @Test(arguments: ["\n", "\r\n", "\r"], ["", mark]) func lineEndsAndAByteOrderMark(end: String, mark: String) throws
    {
        let lines = ["the cat sat", "", "the  dog", "a"]
        let text = mark + lines.joined(separator: end)
        for text in [text, text + end] {
            let corpus = try TemporaryCorpus(train: text, valid: text, test: text)
            let words = try PennTreebank(directory: corpus.directory, bptt: 5)
            #expect(words.vocabulary == ["the", "cat", "sat", "<eos>", "dog", "a"])
            #expect(words.tokens(.test) == [0, 1, 2, 3, 3, 0, 4, 3, 5, 3])
            let characters = try PennTreebank(directory: corpus.directory, bptt: 5, level: .characters)
            #expect(characters.vocabulary.joined(separator: "|") == "t|h|e| |c|a|s|<eos>|d|o|g")
            let expected = "the cat sat\n\nthe dog\na\n".map { $0 == "\n" ? "<eos>" : String($0) }
            #expect(characters.tokens(.valid).map { characters.vocabulary[Int($0)] } == expected)
        }
    }

    /// Line ends and characters that are cut by the pieces in which a file is read.
    @Test(arguments: 0..<4) func piecesOfAFile(shift: Int) throws {
        let piece = 1 << 20
        let text = String(repeating: "x", count: piece - 1 - shift) + "\r\n世\r\nb\n"
        let corpus = try TemporaryCorpus(train: text, valid: text, test: text)
        let treebank = try PennTreebank(directory: corpus.directory, bptt: 5, level: .characters)
        #expect(treebank.vocabulary == ["x", "<eos>", "世", "b"])
        #expect(treebank.tokens(.train).suffix(6) == [0, 1, 2, 1, 3, 1])
        #expect(treebank.tokens(.train).count == piece - 1 - shift + 5)
    }

    @Test func aMarkWithinATextIsText() throws {
        let text = "a\(Self.mark) b\n\(Self.mark)a\n"
        let corpus = try TemporaryCorpus(train: text, valid: text, test: text)
        #expect(
            try PennTreebank(directory: corpus.directory, bptt: 5).vocabulary
                == ["a\(Self.mark)", "b", "<eos>", "\(Self.mark)a"])
    }

    @Test func theBlankIsNoOtherCharacter() throws {
        let text = "the_cat the cat sat\n"
        let corpus = try TemporaryCorpus(train: text, valid: text, test: text)
        let vocabulary = try PennTreebank(directory: corpus.directory, bptt: 5, level: .characters).vocabulary
        #expect(vocabulary.contains("_") && vocabulary.contains(" "))
        // With `_` and no blank of its own, a text could be taken for one whose blank is `_`.
        let other = try TemporaryCorpus(train: "a_b\n", valid: "a_b\n", test: "a_b\n")
        let own = try PennTreebank(directory: other.directory, bptt: 5, level: .characters).vocabulary
        #expect(own == ["a", "_", "b", "<eos>", " "])
        let again = try PennTreebank(
            directory: corpus.directory, bptt: 5, level: .characters, vocabulary: vocabulary + ["<unk>"])
        #expect(again.tokens(.test).prefix(8) == [0, 1, 2, 3, 4, 5, 0, 6])
        // A vocabulary of an earlier version.
        let former = try PennTreebank(
            directory: corpus.directory, bptt: 5, level: .characters,
            vocabulary: ["_", "t", "h", "e", "c", "a", "s", "<eos>"])
        #expect(former.tokens(.test).prefix(8) == [1, 2, 3, 0, 4, 5, 1, 0])
    }

    @Test func aLineOfCharactersHasAnyLength() throws {
        let text = String(repeating: "ACGT世", count: 400_000) + "\n"
        let corpus = try TemporaryCorpus(train: text, valid: text, test: text)
        let tokens = try PennTreebank(directory: corpus.directory, bptt: 5, level: .characters).tokens(.train)
        #expect(tokens.count == 2_000_001 && tokens.suffix(3) == [3, 4, 5])
    }

    @Test func prompts() {
        let words = TokenForm.words, characters = TokenForm.characters()
        #expect(words.tokens(of: "\(Self.mark)a  b\r\nc\n") == ["a", "b", "<eos>", "c", "<eos>"])
        #expect(words.tokens(of: "\n\ra\u{A0}b") == ["<eos>", "<eos>", "a\u{A0}b"])
        #expect(words.tokens(of: "") == [] && words.tokens(of: "a\r") == ["a", "<eos>"])
        #expect(characters.tokens(of: " a  b_\n c ") == ["a", " ", "b", "_", "<eos>", "c", " "])
        #expect(characters.fitting(["_", "a"]).tokens(of: "a a") == ["a", "_", "a"])
        #expect(characters.fitting(["_", "a", " "]) == characters && words.fitting(["_"]) == .words)
        #expect(characters.text(of: " ", isAtLineStart: false) == " ")
    }
}

/// A text that is read against the vocabulary of a model.
struct GivenVocabularyTests {
    private let vocabulary = ["b", "<unk>", "zebra", "<eos>", "a"]

    @Test func theVocabularyDecides() throws {
        let corpus = try TemporaryCorpus(train: "a c\n", valid: "zebra b\n", test: "lion a zebra\n")
        let treebank = try PennTreebank(directory: corpus.directory, bptt: 5, vocabulary: vocabulary)
        #expect(treebank.vocabulary == vocabulary)
        #expect(treebank.tokens(.train) == [4, 1, 3])
        #expect(treebank.tokens(.valid) == [2, 0, 3] && treebank.tokens(.test) == [1, 4, 2, 3])
        #expect(treebank.description.inputs == .tokens(vocabulary: 5))
    }

    @Test func itMayLackUnknownWords() throws {
        let known = try TemporaryCorpus(train: "a\n", valid: "b a\n", test: "zebra\n")
        let without = vocabulary.filter { $0 != "<unk>" }
        #expect(
            try PennTreebank(directory: known.directory, bptt: 5, vocabulary: without).tokens(.test) == [1, 2])
        let corpus = try TemporaryCorpus(train: "a\n", valid: "b a\na lion\n", test: "zebra\n")
        #expect(
            throws: RecurrentError.dataset(
                "\(corpus.directory)/ptb.valid.txt, line 2: the model's vocabulary has neither the word 'lion' nor <unk> to stand for it"
            )
        ) { try PennTreebank(directory: corpus.directory, bptt: 5, vocabulary: without) }
        #expect(throws: RecurrentError.self) {
            try PennTreebank(directory: known.directory, bptt: 5, vocabulary: ["a", "b", "zebra"])
        }
        #expect(throws: RecurrentError.dataset("the vocabulary has 'a' twice; each token has one id")) {
            try PennTreebank(directory: known.directory, bptt: 5, vocabulary: vocabulary + ["a"])
        }
    }

    /// A training text without words doesn't matter to a model that has some.
    @Test func theTrainingTextMayBeAnything() throws {
        let corpus = try TemporaryCorpus(train: "\n\n\n", valid: "a b\n", test: "a b\n")
        #expect(
            try PennTreebank(directory: corpus.directory, bptt: 5, vocabulary: vocabulary).tokens(.test) == [4, 0, 3])
    }
}
