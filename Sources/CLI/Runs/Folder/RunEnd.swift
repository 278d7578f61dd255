import Foundation
import RecurrentCore

/// How a run ended: `end.json` in its folder. There is none while it is trained, nor for
/// a run that was killed.
public struct RunEnd: Codable, Sendable, Equatable {
    /// Why training ended.
    public enum Reason: String, Codable, Sendable {
        /// All epochs were trained.
        case epochs
        /// The validation loss got no better for as many epochs as allowed.
        case patience
        /// The validation loss was below the bound.
        case stopLoss
        /// It was interrupted, and can be resumed.
        case interrupted
        /// A loss was no number any more.
        case diverged
    }

    /// Why training ended.
    public let reason: Reason
    /// Epochs that were finished.
    public let epochs: Int
    /// The update at which the loss was no number; nil for other ends.
    public let step: Int?
    /// The seconds that training and validation took, resumed parts included.
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

    /// The end of the run in a folder; nil if it hasn't ended.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if the file is damaged.
    public init?(in folder: String) throws {
        let path = folder + "/" + Self.fileName
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        do { self = try JSONDecoder().decode(RunEnd.self, from: data) } catch {
            throw RecurrentError.checkpoint(
                path: path, reason: "doesn't say how the run ended; remove it, and resume the run")
        }
    }

    func write(to folder: RunFolder) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(Array(encoder.encode(self)) + [10], to: folder.file(Self.fileName))
    }

    static func remove(from folder: RunFolder) {
        try? FileManager.default.removeItem(atPath: folder.file(fileName))
    }
}
