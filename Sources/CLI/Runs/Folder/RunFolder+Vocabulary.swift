import Foundation
import RecurrentCore

/// The vocabulary of a language model, which decides what its token ids mean.
///
/// The weights and the state hold its checksum in their metadata, under the name of the file: weights that are read with
/// another vocabulary, or with the same one in another order, give numbers and text that mean nothing. Runs that were
/// written before there were checksums have none.
extension RunFolder {
    /// Writes what a model needs to be used without its data set: the vocabulary of a language model.
    func writeDataFiles(_ dataset: any Dataset) throws {
        if let tokens = (dataset as? any VocabularyProviding)?.vocabulary { try write(vocabulary: tokens) }
    }

    /// Writes the tokens of a language model, in the order of their ids.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if the file can't be written.
    public func write(vocabulary: [String]) throws {
        try VocabularyFile.write(vocabulary, to: file(VocabularyFile.name))
    }

    /// Returns the strings to save with the weights of a model that has a vocabulary: its checksum.
    ///
    /// - Parameter vocabulary: the tokens in the order of their ids; nil if they are unknown or the model has none.
    public static func metadata(vocabulary: [String]?) -> [String: String] {
        vocabulary.map { [VocabularyFile.name: VocabularyFile.checksum(of: $0)] } ?? [:]
    }

    /// Returns the run's tokens in the order of their ids; nil if it isn't the run of a language model, or if that was
    /// imported without its words.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if the file is damaged, or if it isn't the
    ///   vocabulary with which the run's weights were saved; ``RecurrentCore/RecurrentError/file(path:reason:)`` if it
    ///   can't be read.
    public func vocabulary() throws -> [String]? {
        let path = file(VocabularyFile.name)
        // A file of weights that is missing or damaged is another matter, which is reported when it is read.
        let checksums = ["model.safetensors", "state.safetensors"].compactMap { name in
            (try? SafeTensors(path: file(name)).metadata[VocabularyFile.name]).map { (file: name, value: $0) }
        }
        guard FileManager.default.fileExists(atPath: path) else {
            guard let (weights, _) = checksums.first else { return nil }
            throw RecurrentError.checkpoint(
                path: self.path,
                reason: "has no \(VocabularyFile.name), the words of its \(weights); put the run's own file back")
        }
        guard !checksums.isEmpty else { return try VocabularyFile.read(path, count: embeddedCount) }
        let tokens = try VocabularyFile.read(path)
        let own = VocabularyFile.checksum(of: tokens)
        if let (weights, _) = checksums.first(where: { $0.value != own }) {
            throw RecurrentError.checkpoint(
                path: path,
                reason:
                    "isn't the vocabulary that \(weights) was saved with: its words or their order have changed; put the run's own file back"
            )
        }
        return tokens
    }

    /// The number of tokens that the run's weights have an embedding for; nil if there are no weights, or they have none.
    private var embeddedCount: Int? {
        (try? SafeTensors(path: file("model.safetensors")))?["encoder.weight"]?.shape.first
    }
}
