import Foundation
import PTBDataset
import RecurrentCore
import RecurrentTestSupport
import Testing

private func tokens(_ batch: Batch) -> [Int32] {
    if case .tokens(let tokens) = batch.inputs { tokens } else { [] }
}

/// Writes a corpus in which 26 letters and `<eos>` are the tokens 0...26 of every split.
private func alphabet() throws -> TemporaryCorpus {
    let letters = (0..<26).map { String(UnicodeScalar(UInt8(ascii: "a") + $0)) }.joined(separator: " ") + "\n"
    return try TemporaryCorpus(train: letters, valid: letters, test: letters)
}

/// The example in the comments of word_language_model/main.py: the alphabet as columns
/// of six letters for a batch size of 4.
@Test func streamsAreThoseOfWordLanguageModel() throws {
    let corpus = try alphabet()
    let treebank = try PennTreebank(directory: corpus.directory, bptt: 2)
    #expect(treebank.batchCount(.train, batchSize: 4) == 3)
    let batches = try (0..<3).map { try treebank.batch(.train, epoch: 0, index: $0, batchSize: 4) }
    #expect(batches.map(\.steps) == [2, 2, 1])
    #expect(batches.map(\.size) == [4, 4, 4])
    #expect(batches.map(\.startsSequences) == [true, false, false])
    #expect(tokens(batches[0]) == [0, 6, 12, 18, 1, 7, 13, 19])
    #expect(batches[0].targets == [1, 7, 13, 19, 2, 8, 14, 20])
    #expect(tokens(batches[2]) == [4, 10, 16, 22])
    #expect(batches[2].targets == [5, 11, 17, 23])
}

@Test func treebankConforms() throws {
    let corpus = try TemporaryCorpus(train: "a b c d e f\n", valid: "b c d e f a\n", test: "c d e f a b\n")
    try checkDataset(try PennTreebank(directory: corpus.directory, bptt: 1), batchSize: 2)
}

@Test(arguments: [1, 2, 3, 5, 13], [1, 2, 4, 7, 25, 26, 100])
func blocksFollowOneAnotherWithoutGap(batchSize: Int, bptt: Int) throws {
    let corpus = try alphabet()
    let treebank = try PennTreebank(directory: corpus.directory, bptt: bptt)
    let all = treebank.tokens(.valid)
    let length = all.count / batchSize
    var streams = [[Int32]](repeating: [], count: batchSize)
    var targets = streams
    for index in 0..<treebank.batchCount(.valid, batchSize: batchSize) {
        let batch = try treebank.batch(.valid, epoch: 4, index: index, batchSize: batchSize)
        #expect(batch.steps <= bptt && batch.steps > 0)
        for b in 0..<batchSize {
            streams[b] += (0..<batch.steps).map { tokens(batch)[$0 * batchSize + b] }
            targets[b] += (0..<batch.steps).map { batch.targets[$0 * batchSize + b] }
        }
    }
    for b in 0..<batchSize {
        #expect(streams[b] == Array(all[b * length..<(b + 1) * length - 1]))
        #expect(targets[b] == Array(all[b * length + 1..<(b + 1) * length]))
    }
}

@Test func tooManyStreamsAreRefused() throws {
    let corpus = try alphabet()
    let treebank = try PennTreebank(directory: corpus.directory, bptt: 5)
    #expect(treebank.batchCount(.test, batchSize: 13) == 1)
    #expect(treebank.batchCount(.test, batchSize: 14) == 0)
    #expect(
        throws: RecurrentError.dataset(
            "\(corpus.directory): the test text has 27 tokens, too few for 14 streams; choose a batch size of at most 13"
        )
    ) { try treebank.batch(.test, epoch: 0, index: 0, batchSize: 14) }
}

/// Requires the Penn Treebank, which is licensed and not part of this package: set
/// PTB_DIR to its directory. Otherwise the test is reported as skipped.
@Test(.enabled(if: ProcessInfo.processInfo.environment["PTB_DIR"] != nil, "PTB_DIR isn't set"))
func thePennTreebankHasItsKnownSizes() throws {
    let directory = try #require(ProcessInfo.processInfo.environment["PTB_DIR"])
    let treebank = try PennTreebank(directory: directory, bptt: 35)
    #expect(treebank.tokens(.train).count == 929_589)
    #expect(treebank.tokens(.valid).count == 73_760)
    #expect(treebank.tokens(.test).count == 82_430)
    #expect(treebank.vocabulary.count == 10_000)
    // 11,619 steps of 80 streams.
    #expect(treebank.batchCount(.train, batchSize: 80) == 332)
}
