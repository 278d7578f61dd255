import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Standard output and standard error: the only place where this package prints.
///
/// A message that can't be written never ends a run. What became of standard output can be asked afterwards.
package enum StandardStream: Int32, CaseIterable {
    case output = 1
    case error = 2

    /// The number of the system's first error in writing to standard output; 0 if there was none.
    private static let failure = Atomic<Int32>(0)
    private static let lostReader = Atomic<Bool>(false)

    /// Prepares the program for printing and for writing files; to be called before anything else is opened.
    ///
    /// A standard stream that is closed gets `/dev/null`. Otherwise the next file that is opened would have its number,
    /// and get what is printed.
    package static func prepare() {
        // The system assigns the lowest free number.
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 { _ = open("/dev/null", O_RDWR) }
        _ = WriteSignals.ignored
    }

    /// Prints text. If that fails, the text is lost.
    package func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            do { try AtomicFile.writeAll(UnsafeRawBufferPointer(bytes), to: rawValue) } catch {
                guard self == .output, let number = (error as? SystemFailure)?.number else { return }
                _ = Self.failure.compareExchange(expected: 0, desired: number, ordering: .relaxed)
                if number == EPIPE, WriteSignals.ignored.contains(SIGPIPE) {
                    Self.lostReader.store(true, ordering: .relaxed)
                }
            }
        }
    }

    /// Whether the program that read standard output through a pipe is gone, as `head` is after its last line.
    ///
    /// This would have ended the program, if it didn't ignore SIGPIPE; it is false if SIGPIPE was ignored when the
    /// program started, as whoever starts a program in this way wants it to continue.
    package static var outputHasLostReader: Bool { lostReader.load(ordering: .relaxed) }

    /// Checks that everything has been printed to standard output since the last check.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if something couldn't be printed.
    package static func checkOutput() throws {
        let number = failure.exchange(0, ordering: .relaxed)
        guard number != 0 else { return }
        throw RecurrentError.file(path: "standard output", reason: "can't be written: \(systemReason(number))")
    }
}
