#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that only one process can create, on whichever host, by which processes agree who does something.
///
/// Ages of files are by the clock of their file system: the clocks of hosts may differ.
package final class ExclusiveFile: Sendable {
    private let descriptor: Int32

    /// Creates a file with some contents; nil if there is one already.
    ///
    /// A reader may find the file before its contents.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` with the system's reason, if it can't be written.
    package init?(creating path: String, _ bytes: [UInt8] = []) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            let failure = SystemFailure()
            if failure.number == EEXIST { return nil }
            throw failure.writing(path)
        }
        do { try bytes.withUnsafeBytes { try AtomicFile.writeAll($0, to: descriptor) } } catch {
            unlink(path)
            throw (error as? SystemFailure)?.writing(path) ?? error
        }
    }

    deinit { close(descriptor) }

    /// Makes the file as old as one that is written now, even if it has been moved or removed meanwhile.
    package func touch() { Self.touch(descriptor) }

    private static func touch(_ descriptor: Int32) {
        // Without a time, a file server sets its own.
        futimens(descriptor, nil)
    }

    /// Returns the seconds since a file was written; nil if there is none.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` with the system's reason, if no file can be written beside it.
    package static func age(of path: String) throws -> Double? {
        guard let written = time(of: path) else { return nil }
        let probe = "\(AtomicFile.directory(of: path))/.clock-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let descriptor = open(probe, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw SystemFailure().writing(probe) }
        defer {
            close(descriptor)
            unlink(probe)
        }
        touch(descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemFailure().writing(probe) }
        return seconds(status) - written
    }

    /// Returns the time at which a file was written, to be compared with those of other files; nil if there is none.
    package static func time(of path: String) -> Double? {
        var status = stat()
        return stat(path, &status) == 0 ? seconds(status) : nil
    }

    private static func seconds(_ status: stat) -> Double {
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
