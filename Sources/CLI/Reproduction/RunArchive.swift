import Foundation
import RecurrentCore
import RecurrentRuns

/// The runs of a results folder as one compressed file beside the report, in the place of
/// the folder `runs`; `scripts/archive-runs` makes it.
package struct RunArchive {
    /// Its name in the results folder.
    package static let name = "runs.tar.gz"

    let file: String

    /// The archive that stands for a folder's runs; nil if the runs are there themselves, or
    /// there is none.
    package init?(of results: String) {
        file = "\(results)/\(Self.name)"
        let manager = FileManager.default
        if manager.fileExists(atPath: results + "/runs") || !manager.fileExists(atPath: file) { return nil }
    }

    /// Makes the folder `runs` in another one; none if not all of it can be made.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if the archive is damaged.
    package func unpack(into folder: String) throws {
        let manager = FileManager.default, draft = "\(folder)/.runs-\(UUID().uuidString)"
        defer { try? manager.removeItem(atPath: draft) }
        do {
            try manager.createDirectory(atPath: draft, withIntermediateDirectories: true)
        } catch {
            throw RecurrentError.file(path: folder, reason: "the runs of \(file) can't be unpacked into this folder")
        }
        // That folder alone, whatever else a file has.
        let (ending, _, errors) = try ChildProcess.run(
            ChildProcess.find("tar", package: "tar"), ["-xzf", file, "-C", draft, "runs"])
        guard ending == .exit(0), (try? manager.moveItem(atPath: draft + "/runs", toPath: folder + "/runs")) != nil
        else {
            let line = errors.split(separator: "\n").first.map { " (\($0))" } ?? ""
            throw RecurrentError.file(path: file, reason: "can't be unpacked\(line); bring back an undamaged file")
        }
    }
}
