import Foundation
import RecurrentCore

/// A small corpus of made-up sentences in Mikolov's format, for trying out the language models without the licensed
/// Penn Treebank.
public enum MiniCorpus {
    /// The description of the corpus in reports.
    public static let name = "a generated mini corpus (not the Penn Treebank: its perplexities can't be compared)"
    private static let sizes = [("train", 6000), ("valid", 400), ("test", 400)]
    private static let words: [[String]] = [
        ["the", "a", "this", "some"], ["big", "small", "old", "new", "late"],
        ["bank", "trader", "market", "company", "price", "share"],
        ["sold", "bought", "saw", "lost", "raised"], ["N", "its", "the", "no"],
        ["shares", "bonds", "dollars", "rates", "gains", "<unk>"],
        ["today", "yesterday", "again", "slowly"],
    ]

    /// Writes `ptb.train.txt`, `ptb.valid.txt` and `ptb.test.txt` into a folder, with the same text every time.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the folder or a file can't be written.
    public static func write(into folder: String) throws {
        do {
            try AtomicFile.createFolder(folder)
        } catch {
            throw RecurrentError.file(
                path: folder, reason: "the folder can't be created; choose an `output` that can be written")
        }
        for (split, text) in texts { try AtomicFile.write(text, to: "\(folder)/ptb.\(split).txt") }
    }

    static var sizesInBytes: [Int] { texts.map(\.text.utf8.count) }

    private static let texts: [(split: String, text: String)] = sizes.enumerated().map { index, size in
        var random = RandomStream(RandomKey(seed: 1, purpose: .trainData, stream: index))
        let lines = (0..<size.1).map { _ in
            words.enumerated().compactMap { place, choices -> String? in
                let pick = Int(random.uniform(in: 0...0.999999) * Double(choices.count))
                // The first choice of adjective or adverb stands for none.
                return (place == 1 || place == 6) && pick == 0 ? nil : choices[pick]
            }.joined(separator: " ")
        }
        return (size.0, lines.joined(separator: "\n") + "\n")
    }
}
