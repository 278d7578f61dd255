import Foundation
import RecurrentCore
import RecurrentRuns

/// The runs of a results folder, packed into one compressed file that replaces the folder `runs`.
///
/// `scripts/archive-runs` creates it.
package struct RunArchive {
    /// The name of the archive in the results folder.
    package static let name = "runs.tar.gz"

    let file: String

    /// Finds the archive of a results folder; nil if the folder `runs` exists, or there is no archive.
    package init?(of results: String) {
        file = "\(results)/\(Self.name)"
        let manager = FileManager.default
        if manager.fileExists(atPath: results + "/runs") || !manager.fileExists(atPath: file) { return nil }
    }

    /// Unpacks the folder `runs` into another folder, either completely or not at all.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if the archive is damaged, or the folder can't be
    ///   written.
    package func unpack(into folder: String) throws {
        let manager = FileManager.default, draft = "\(folder)/.runs-\(UUID().uuidString)"
        defer { try? manager.removeItem(atPath: draft) }
        do {
            try AtomicFile.createFolder(draft)
        } catch {
            throw RecurrentError.file(path: folder, reason: "the runs of \(file) can't be unpacked into this folder")
        }
        // Only that folder, whatever else the archive contains.
        let (ending, _, errors) = try ChildProcess.run(
            ChildProcess.find("tar", package: "tar"), ["-xzf", file, "-C", draft, "runs"])
        let isMoved = ending == .exit(0) && (try? AtomicFile.move(draft + "/runs", to: folder + "/runs")) != nil
        // Another process may have unpacked it meanwhile.
        guard isMoved || ending == .exit(0) && manager.fileExists(atPath: folder + "/runs") else {
            let line = errors.split(separator: "\n").first.map { " (\($0))" } ?? ""
            throw RecurrentError.file(path: file, reason: "can't be unpacked\(line); restore an undamaged copy of it")
        }
    }
}
