import Foundation
import RecurrentCore

/// A lock that keeps two processes from training the same run.
///
/// It is released when the process ends, in whatever way.
package final class FolderLock: Sendable {
    /// What is said where another process holds the lock.
    package static let isHeld = "is being trained by another process; wait for it, or choose another folder"

    private let descriptor: Int32

    /// Locks the folder at a path.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if another process holds the lock.
    package init(_ path: String) throws {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // If the file system doesn't support locks, training continues without one.
        if descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            close(descriptor)
            throw RecurrentError.file(path: path, reason: Self.isHeld)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
