import Foundation
import RecurrentCore

/// How a run ended, as `end.json` in its folder records it.
///
/// The file doesn't exist while the run is being trained, or after its process was killed.
public struct RunEnd: Codable, Sendable, Equatable {
    /// Why training ended.
    public enum Reason: String, Codable, Sendable {
        /// All epochs were trained.
        case epochs
        /// The validation loss didn't improve for the number of epochs that `patience` allows.
        case patience
        /// The validation loss fell below `stopLoss`.
        case stopLoss
        /// The run was interrupted, and can be resumed.
        case interrupted
        /// The loss was no longer a finite number.
        case diverged
    }

    /// Why training ended.
    public let reason: Reason
    /// The number of finished epochs.
    public let epochs: Int
    /// The update at which the run diverged; nil if it ended in another way.
    public let step: Int?
    /// The duration of training and validation in seconds, including the parts before the run was resumed.
    public let seconds: Double

    static let fileName = "end.json"

    init(_ summary: TrainingSummary) {
        epochs = summary.epochs.count
        seconds = summary.seconds
        switch summary.end {
        case .epochs: (reason, step) = (.epochs, nil)
        case .patience: (reason, step) = (.patience, nil)
        case .lossReached: (reason, step) = (.stopLoss, nil)
        case .interrupted: (reason, step) = (.interrupted, nil)
        case .diverged(let number, _): (reason, step) = (.diverged, number)
        }
    }

    /// Reads how the run in a folder ended; nil if it hasn't ended.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if the file is damaged, and
    ///   ``RecurrentCore/RecurrentError/file(path:reason:)`` if it can't be read.
    public init?(in folder: String) throws {
        let path = folder + "/" + Self.fileName
        guard let data = try FileReader.contents(ifThere: path) else { return nil }
        do { self = try JSONDecoder().decode(RunEnd.self, from: Data(data)) } catch {
            throw RecurrentError.checkpoint(
                path: path, reason: "doesn't say how the run ended; remove it, and resume the run")
        }
    }

    func write(to folder: RunFolder) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(Array(encoder.encode(self)) + [10], to: folder.file(Self.fileName))
    }

    /// Removes the file, since the run is about to go on.
    package static func remove(from folder: RunFolder) {
        try? FileManager.default.removeItem(atPath: folder.file(fileName))
    }
}
