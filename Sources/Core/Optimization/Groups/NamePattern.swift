/// A pattern of parameters' names in which `*` stands for any characters, such as `encoder.*`.
struct NamePattern: Sendable {
    let text: String

    /// Returns whether the whole name fits the pattern.
    func matches(_ name: String) -> Bool {
        let pattern = Array(text.unicodeScalars), name = Array(name.unicodeScalars)
        var (p, n) = (0, 0)
        // Where to go on if what follows the last star doesn't fit: the star takes one character more.
        var last: (pattern: Int, name: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == "*" {
                last = (p, n)
                p += 1
            } else if p < pattern.count, pattern[p] == name[n] {
                (p, n) = (p + 1, n + 1)
            } else if let star = last {
                last = (star.pattern, star.name + 1)
                (p, n) = (star.pattern + 1, star.name + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}
