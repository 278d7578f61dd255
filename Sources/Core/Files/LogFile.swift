#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file to which whole records are appended; a record for which the disk has no room
/// leaves no trace.
package final class LogFile {
    /// The size in bytes.
    package private(set) var size: Int
    /// The checksum of the bytes.
    package private(set) var checksum = CRC32C()
    private let path: String
    private let descriptor: Int32
    /// Whether the file may still have bytes beyond those that are kept.
    private var hasRest: Bool

    /// Opens a file for appending.
    ///
    /// - Parameters:
    ///   - path: the path of the file.
    ///   - size: nil for a new file, which replaces an old one; otherwise how many bytes
    ///     of the old one are kept. Those beyond are dropped when the first record is appended.
    ///   - checksum: the digits of the checksum of the bytes that are kept; nil if it is unknown.
    /// - Throws: ``RecurrentError/file(path:reason:)`` if it can't be written,
    ///   ``RecurrentError/checkpoint(path:reason:)`` if it has fewer than `size` bytes, or others.
    package init(_ path: String, keeping size: Int? = nil, checksum: String? = nil) throws {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | (size == nil ? O_CREAT : 0), 0o666)
        guard descriptor >= 0 else {
            let failure = SystemFailure()
            guard size != nil, failure.number == ENOENT else { throw failure.writing(path) }
            throw RecurrentError.checkpoint(
                path: path,
                reason: "is missing; put it back, or start a new run from its weights with `from` and another `output`")
        }
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
        guard self.size > 0 else { return }
        let kept = try FileReader(path).bytes(0..<self.size)
        self.checksum.update(kept)
        // Records are lines, so other lines are noticed even without a checksum, unless they are of the same length.
        guard kept.last == UInt8(ascii: "\n"), checksum == nil || checksum == self.checksum.digits else {
            throw RecurrentError.checkpoint(
                path: path, reason: "isn't what it was when the run was saved; put the run's own file back")
        }
    }

    deinit { close(descriptor) }

    /// Appends a record as a whole or not at all.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if it can't be written.
    package func append(_ record: [UInt8]) throws {
        do {
            if hasRest, ftruncate(descriptor, off_t(size)) != 0 { throw SystemFailure() }
            hasRest = false
            try record.withUnsafeBytes { try AtomicFile.writeAll($0, to: descriptor) }
        } catch let failure as SystemFailure {
            // Removes what was written of the record; truncating a file needs no room.
            _ = ftruncate(descriptor, off_t(size))
            throw failure.writing(path)
        }
        size += record.count
        checksum.update(record)
    }

    /// Waits until the whole file is on the disk.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if that fails.
    package func synchronize() throws {
        guard fsync(descriptor) == 0 else { throw SystemFailure().writing(path) }
    }
}
