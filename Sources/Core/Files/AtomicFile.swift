#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

private let systemWrite = write

/// Replaces files so that a reader finds either the whole old file or the whole new
/// one, whatever happens.
public enum AtomicFile {
    /// Writes a temporary file beside `path`, flushes it to the disk, and renames
    /// it to `path`.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` with the system's reason, if the directory
    ///   can't be written, the disk is full, or `path` is something other than a file;
    ///   what was at `path` then remains as it was.
    public static func write(_ bytes: some Collection<UInt8>, to path: String) throws {
        try write(to: path) { file in
            // This includes Foundation's Data, which is contiguous as well.
            let written: Void? = try bytes.withContiguousStorageIfAvailable {
                try file.append(UnsafeRawBufferPointer($0))
            }
            if written == nil { try Array(bytes).withUnsafeBytes { try file.append($0) } }
        }
    }

    /// Replaces a file piece by piece: `body` writes the new file, which replaces the
    /// old one when `body` returns.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the file can't be written, and
    ///   what `body` throws; what was at `path` then remains as it was.
    public static func write(to path: String, _ body: (borrowing Output) throws -> Void) throws {
        do { try replace(path, body) } catch let failure as SystemFailure {
            throw failure.writing(path)
        }
    }

    /// A file that is being written.
    public struct Output: ~Copyable {
        let descriptor: Int32

        /// Writes `bytes` at the end of the file.
        ///
        /// - Throws: an error that ``AtomicFile`` turns into ``RecurrentError/file(path:reason:)``.
        public func append(_ bytes: UnsafeRawBufferPointer) throws { try writeAll(bytes, to: descriptor) }

        /// Overwrites what is at `offset` with `bytes`; `append` then continues at the end.
        ///
        /// - Throws: an error that ``AtomicFile`` turns into ``RecurrentError/file(path:reason:)``.
        public func overwrite(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
            guard lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else { throw SystemFailure() }
            try writeAll(bytes, to: descriptor)
            guard lseek(descriptor, 0, SEEK_END) >= 0 else { throw SystemFailure() }
        }
    }

    /// Replaces the file at `path` with text in UTF-8.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the file can't be written; what
    ///   was at `path` then remains as it was.
    public static func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

    private static func replace(_ path: String, _ body: (borrowing Output) throws -> Void) throws {
        // A rename would replace even a device.
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw SystemFailure(reason: "it exists and is not a regular file")
        }
        let directory = directory(of: path)
        let name = path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
        let temporary = "\(directory)/.\(name).\(getpid())-\(UInt32.random(in: 0 ... .max)).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw SystemFailure() }
        do {
            do {
                defer { close(descriptor) }
                try body(Output(descriptor: descriptor))
                if fsync(descriptor) != 0 { throw SystemFailure() }
            }
            if rename(temporary, path) != 0 { throw SystemFailure() }
        } catch {
            unlink(temporary)
            throw error
        }
        flushDirectory(directory)
    }

    /// Writes all bytes to an open file, in as many calls as the system needs.
    package static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws {
        var done = 0
        while done < bytes.count {
            let count = systemWrite(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN {
                // Whoever shares a standard stream may have made it non-blocking.
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
                continue
            }
            if count < 0 { throw SystemFailure() }
            done += count
        }
    }

    /// Returns the path of the directory that holds the file at `path`.
    static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// Makes the names in a directory durable. Some file systems can't flush a directory; a
    /// file is complete nevertheless.
    static func flushDirectory(_ directory: String) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
