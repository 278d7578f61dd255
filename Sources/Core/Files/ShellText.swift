extension String {
    /// The text as one word of a shell's command line: in quotation marks unless it consists of letters, digits and
    /// characters that mean nothing to a shell.
    package var shellWord: String {
        let isPlain = !isEmpty && allSatisfy { $0.isLetter || $0.isNumber || "-_./,=".contains($0) }
        return isPlain
            ? self : "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
