import Foundation
import RecurrentCore

/// What the language models read, told by its files and not by its folder's name.
public struct Corpus: Sendable {
    /// The sizes of the three files in bytes.
    public let sizes: [Int]

    private static let splits = ["train", "valid", "test"]
    /// Mikolov's preparation.
    private static let pennTreebank = [5_101_618, 399_782, 449_945]

    /// - Throws: ``RecurrentError/dataset(_:)`` if a file is missing.
    public init(folder: String) throws {
        // As the data set looks for them: Mikolov's names, or WikiText's.
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

    /// As a run's record keeps it.
    public init?(recorded text: String) {
        sizes = text.split(separator: " ").compactMap { Int($0) }
        guard sizes.count == Self.splits.count else { return nil }
    }

    public var recorded: String { sizes.map(String.init).joined(separator: " ") }

    /// For readers.
    public var name: String {
        switch sizes {
        case Self.pennTreebank: "the Penn Treebank"
        case MiniCorpus.sizesInBytes: MiniCorpus.name
        default:
            "a corpus of \(sizes[0]) bytes of training text (not the Penn Treebank: its perplexities can't be compared)"
        }
    }
}
