#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension AtomicFile {
    /// Moves a finished file to `path`, in the same file system, where it replaces a file, or moves a folder to
    /// where there is none: its contents are flushed to the disk before, and its new name afterwards, so that not
    /// even a power failure leaves a part of it there.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` with the system's reason.
    package static func move(_ file: String, to path: String) throws {
        do {
            try flush(file)
            guard rename(file, path) == 0 else { throw SystemFailure() }
        } catch let failure as SystemFailure {
            throw failure.writing(path)
        }
        flushDirectory(directory(of: path))
    }

    /// Flushes the contents of a file or folder to the disk.
    private static func flush(_ file: String) throws {
        // One call for all files of a folder, and for others that happen to be unwritten.
        if isFolder(file) { return sync() }
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure() }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemFailure() }
    }

    /// Creates a folder, and those above it that are missing, unless it exists. Their names are flushed to the
    /// disk, without which a power failure could lose the folder together with flushed files in it.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` with the system's reason.
    package static func createFolder(_ path: String) throws {
        do { try create(path) } catch let failure as SystemFailure { throw failure.writing(path) }
    }

    private static func create(_ path: String) throws {
        if isFolder(path) { return }
        let parent = directory(of: path)
        if parent != path { try create(parent) }
        guard mkdir(path, 0o777) == 0 else {
            let failure = SystemFailure()
            // Another process may have created it meanwhile, and a path may end in a slash.
            if isFolder(path) { return }
            throw failure
        }
        flushDirectory(parent)
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
