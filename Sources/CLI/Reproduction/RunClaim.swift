import Foundation
import RecurrentCore

/// A process's claim to a run, by which processes share a folder of results, also from several hosts.
///
/// It is the file `taken.json` in the run's folder, which only one process can create. Locks end by themselves, but don't
/// hold between hosts on every file system; a claim ends when its holder removes it, has ended on this host, or has given
/// no sign of life for a while.
package final class RunClaim: Sendable {
    /// The result of trying to take a run.
    package enum Attempt {
        case taken(RunClaim)
        /// Another process has it, which is named for readers.
        case held(by: String)
    }

    package static let fileName = "taken.json"

    private let folder: String
    private let holder: ClaimHolder
    private let file: ExclusiveFile

    private var path: String { folder + "/" + Self.fileName }

    private init(_ folder: String, _ holder: ClaimHolder, _ file: ExclusiveFile) {
        (self.folder, self.holder, self.file) = (folder, holder, file)
    }

    /// Takes a run, unless another process has it.
    ///
    /// - Parameters:
    ///   - folder: the folder of the run, which is created if necessary.
    ///   - limit: the seconds without a sign of life after which another process's claim ends.
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if the folder can't be written.
    package static func take(_ folder: String, limit: Double) throws -> Attempt {
        try AtomicFile.createFolder(folder)
        let path = folder + "/" + fileName, holder = ClaimHolder()
        var other: ClaimHolder?
        for _ in 0..<3 {
            if let file = try ExclusiveFile(creating: path, JSONEncoder().encode(holder) + [10]) {
                return .taken(RunClaim(folder, holder, file))
            }
            other = read(folder)
            // It may have been removed just now.
            guard let hasEnded = try hasEnded(other, path, limit: limit) else { continue }
            guard hasEnded, try remove(other, from: folder, limit: limit) else { break }
        }
        return .held(by: other.map { "\($0)" } ?? "another process")
    }

    /// Returns whether a process has taken the run in a folder; it may have ended since.
    package static func isTaken(_ folder: String) -> Bool { FileReader.exists(folder + "/" + fileName) }

    /// Gives a sign of life.
    ///
    /// - Returns: false if another process has taken the run over, because there was none for too long.
    package func renew() -> Bool {
        file.touch()
        // What can't be read now, as on a file server that is restarting, may be the same as before.
        do { return try FileReader.contents(ifThere: path).flatMap(Self.decode) == holder } catch { return true }
    }

    /// Ends the claim, unless another process has taken the run over.
    package func release() { _ = try? Self.remove(holder, from: folder, limit: .infinity) }

    /// Reads who has taken the run; nil if nobody has, or it isn't written yet.
    private static func read(_ folder: String) -> ClaimHolder? {
        (try? FileReader.contents(of: folder + "/" + fileName)).flatMap(decode)
    }

    private static func decode(_ bytes: [UInt8]) -> ClaimHolder? {
        try? JSONDecoder().decode(ClaimHolder.self, from: Data(bytes))
    }

    /// Returns whether a claim has ended; nil if there is none.
    private static func hasEnded(_ holder: ClaimHolder?, _ path: String, limit: Double) throws -> Bool? {
        if let holder, holder.hasEnded { return true }
        return try ExclusiveFile.age(of: path).map { $0 > limit }
    }

    /// Removes a claim from a folder, if it is still there.
    ///
    /// Two processes may have found the same claim ended, and one of them may have made a new one when the other comes to
    /// remove it. So a claim is removed only by who has created a file named after it.
    ///
    /// - Returns: false if another process is about to remove it.
    private static func remove(_ holder: ClaimHolder?, from folder: String, limit: Double) throws -> Bool {
        let mark = "\(folder)/.\(fileName).\(holder?.claim ?? "unnamed")"
        guard let file = try ExclusiveFile(creating: mark) else {
            // Its creator may have been killed before it could remove both.
            if try ExclusiveFile.age(of: mark).map({ $0 > limit }) ?? false { unlink(mark) }
            return false
        }
        defer { withExtendedLifetime(file) { _ = unlink(mark) } }
        let path = folder + "/" + fileName
        // Without a name, only its age tells it from a new one.
        if read(folder) == holder, try holder != nil || hasEnded(nil, path, limit: limit) == true { unlink(path) }
        return true
    }
}
