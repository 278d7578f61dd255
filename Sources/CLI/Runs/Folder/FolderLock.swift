import Foundation
import RecurrentCore

/// Keeps two processes from training the same run. The lock goes with the process,
/// however it ends.
package final class FolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``RecurrentError/file(path:reason:)`` if another process holds it.
    package init(_ path: String) throws {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // Where a file system has no locks, training continues without one.
        if descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            close(descriptor)
            throw RecurrentError.file(
                path: path, reason: "is being trained by another process; wait for it, or choose another folder")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
