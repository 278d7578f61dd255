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
    /// The system's error number; 0 if the failure isn't the system's.
    let number: Int32

    init(reason: String) { (self.reason, number) = (reason, 0) }
    /// Creates a failure from `errno`.
    init() {
        number = errno
        reason = systemReason(number)
    }

    /// Returns the error of failing to write `path`, with advice where there is any.
    func writing(_ path: String) -> RecurrentError {
        let advice =
            switch number {
            case ENOSPC, EDQUOT: "; make room there, or choose another folder"
            case EFBIG: "; raise the limit on the size of files (ulimit -f), or choose another folder"
            case EROFS, EACCES, EPERM: "; choose a folder that can be written"
            default: ""
            }
        return RecurrentError.file(path: path, reason: "can't be written: \(reason)\(advice)")
    }
}

/// Returns the system's words for an error number, such as "no space left on device".
func systemReason(_ number: Int32) -> String {
    guard let text = strerror(number) else { return "error \(number)" }
    let words = String(cString: text)
    return words.prefix(1).lowercased() + words.dropFirst()
}
