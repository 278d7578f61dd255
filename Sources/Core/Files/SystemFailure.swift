#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A system call that failed, with the reason in the system's words.
package struct SystemFailure: Error {
    package let reason: String

    init(reason: String) { self.reason = reason }
    /// From `errno`.
    init() { reason = systemReason(errno) }
}

/// The system's words for an error number: "no space left on device".
func systemReason(_ number: Int32) -> String {
    guard let text = strerror(number) else { return "error \(number)" }
    let words = String(cString: text)
    return words.prefix(1).lowercased() + words.dropFirst()
}
