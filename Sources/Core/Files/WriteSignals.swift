#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The signals by which the system ends a program that writes: SIGPIPE, if nobody reads the pipe, and SIGXFSZ, if the file
/// exceeds the limit on its size.
///
/// Once they are ignored, the write fails with an error, which can be reported after cleaning up.
package enum WriteSignals {
    /// Those that this program ignores, and didn't have to when it started. The first access makes it ignore them.
    package static let ignored: [Int32] = [SIGPIPE, SIGXFSZ].filter { number in
        guard handler(of: number) == 0 else { return false }
        signal(number, SIG_IGN)
        return true
    }

    /// Whether a signal is ignored now.
    package static func isIgnored(_ number: Int32) -> Bool { handler(of: number) == 1 }

    /// Returns the handler of a signal as a number: 0 for the system's default, 1 if the signal is ignored.
    private static func handler(of number: Int32) -> Int {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return -1 }
        // The handler comes first in the structure; its name depends on the C library.
        return withUnsafeBytes(of: action) { $0.loadUnaligned(as: Int.self) }
    }
}
