import Foundation
import RecurrentCore

/// The text that the language models are trained on, identified by the sizes of its files rather than by its folder.
public struct Corpus: Sendable {
    /// The sizes in bytes of the training, validation and test files.
    public let sizes: [Int]

    private static let splits = ["train", "valid", "test"]
    /// The file sizes of Mikolov's version of the Penn Treebank.
    private static let pennTreebank = [5_101_618, 399_782, 449_945]

    /// Creates a description of the corpus in a folder.
    ///
    /// - Throws: ``RecurrentError/dataset(_:)`` if a file is missing.
    public init(folder: String) throws {
        // The data set accepts both Mikolov's file names and WikiText's.
        let prefix = FileManager.default.fileExists(atPath: folder + "/ptb.train.txt") ? "ptb." : ""
        sizes = try Self.splits.map { split in
            let path = "\(folder)/\(prefix)\(split).txt"
            let attributes = try? FileManager.default.attributesOfItem(
                atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
            guard let size = attributes?[.size] as? Int else {
                throw RecurrentError.dataset(
                    "\(path) is missing; the folder must hold ptb.train.txt, ptb.valid.txt and ptb.test.txt")
            }
            return size
        }
    }

    /// Creates a corpus from the text that a run's record holds; nil if the text has another form.
    public init?(recorded text: String) {
        sizes = text.split(separator: " ").compactMap { Int($0) }
        guard sizes.count == Self.splits.count else { return nil }
    }

    /// The three sizes, separated by spaces, as they are stored in a run's record.
    public var recorded: String { sizes.map(String.init).joined(separator: " ") }

    /// A description of the corpus for use in a sentence.
    public var name: String {
        switch sizes {
        case Self.pennTreebank: "the Penn Treebank"
        case MiniCorpus.sizesInBytes: MiniCorpus.name
        default:
            "a corpus of \(sizes[0]) bytes of training text (not the Penn Treebank: its perplexities can't be compared)"
        }
    }
}
