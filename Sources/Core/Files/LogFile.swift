#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that grows at its end, by whole records: one that the disk has no room for
/// leaves nothing of itself.
package final class LogFile {
    /// In bytes.
    package private(set) var size: Int
    private let path: String
    private let descriptor: Int32
    /// Whether the file still has what isn't kept.
    private var hasRest: Bool

    /// - Parameters:
    ///   - path: of the file.
    ///   - size: nil for a new file, which replaces what was there; else how many bytes
    ///     of the present one are kept. Those behind are dropped when a record comes.
    /// - Throws: ``RecurrentError/file(path:reason:)`` if it can't be written,
    ///   ``RecurrentError/checkpoint(path:reason:)`` if it has fewer than `size` bytes.
    package init(_ path: String, keeping size: Int? = nil) throws {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | (size == nil ? O_CREAT : 0), 0o666)
        guard descriptor >= 0 else { throw SystemFailure().writing(path) }
        self.path = path
        self.descriptor = descriptor
        self.size = size ?? 0
        hasRest = size != nil
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SystemFailure(reason: "it exists and is not a regular file").writing(path)
        }
        guard Int(status.st_size) >= self.size else {
            throw RecurrentError.checkpoint(
                path: path,
                reason:
                    "is shorter than when the run was saved (\(status.st_size) bytes, not \(self.size)); put the whole file back"
            )
        }
        if !hasRest, ftruncate(descriptor, 0) != 0 { throw SystemFailure().writing(path) }
    }

    deinit { close(descriptor) }

    /// Writes a record behind the others, or nothing.
    /// - Throws: ``RecurrentError/file(path:reason:)``.
    package func append(_ record: [UInt8]) throws {
        do {
            if hasRest, ftruncate(descriptor, off_t(size)) != 0 { throw SystemFailure() }
            hasRest = false
            try record.withUnsafeBytes { try AtomicFile.writeAll($0, to: descriptor) }
        } catch let failure as SystemFailure {
            // What was written of it; shrinking a file takes no room.
            _ = ftruncate(descriptor, off_t(size))
            throw failure.writing(path)
        }
        size += record.count
    }

    /// Waits until the disk holds all of it.
    /// - Throws: ``RecurrentError/file(path:reason:)``.
    package func synchronize() throws {
        guard fsync(descriptor) == 0 else { throw SystemFailure().writing(path) }
    }
}
