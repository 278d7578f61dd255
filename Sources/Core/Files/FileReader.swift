#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An open file of known size, read at any offset.
///
/// It is read, not mapped: a file that another process truncates while it is in
/// use then causes an error instead of a signal.
package final class FileReader: Sendable {
    package let path: String
    package let size: Int
    private let descriptor: Int32

    /// Opens a file for reading.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if there is no such file,
    ///   it may not be read, or it is a directory or a device.
    package init(_ path: String) throws {
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw RecurrentError.file(path: path, reason: systemReason(errno)) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw RecurrentError.file(path: path, reason: "is not a regular file")
        }
        self.path = path
        self.descriptor = descriptor
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the file is too short or can't be read.
    package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw RecurrentError.file(path: path, reason: systemReason(errno)) }
            guard count > 0 else { throw RecurrentError.file(path: path, reason: "ended while it was being read") }
            done += count
        }
    }

    /// Returns whether there is anything at a path, even if it may not be read or isn't a file.
    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 || (errno != ENOENT && errno != ENOTDIR)
    }

    /// Returns the contents of the whole file; nil if there is none.
    ///
    /// Unlike Foundation's `FileManager.contents(atPath:)`, it doesn't take a file that may not be read for a missing one;
    /// and Foundation, on Linux, leaks a buffer whenever a file is empty.
    package static func contents(ifThere path: String) throws -> [UInt8]? {
        exists(path) ? try contents(of: path) : nil
    }

    /// Returns the contents of the whole file.
    package static func contents(of path: String) throws -> [UInt8] {
        let file = try FileReader(path)
        return try file.bytes(0..<file.size)
    }

    /// Returns some of the bytes.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the file is too short or can't be read.
    package func bytes(_ range: Range<Int>) throws -> [UInt8] {
        // Even for no elements, the initializer below would write to the storage that all empty arrays share.
        guard !range.isEmpty else { return [] }
        return try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            try read(
                at: range.lowerBound,
                into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: range.count))
            count = range.count
        }
    }
}
