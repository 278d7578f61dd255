/// Finds the name that a user probably meant by one that doesn't exist.
public enum Suggestion {
    /// Returns the name nearest to `text` by edit distance, ignoring case; nil if none is near.
    public static func nearest(_ text: String, in names: some Sequence<String>) -> String? {
        let typed = Array(text.lowercased())
        let limit = max(1, min(3, typed.count / 3))
        let ranked = names.compactMap { name -> (distance: Int, name: String)? in
            let letters = Array(name.lowercased())
            // Each change makes a text longer by one letter at most.
            guard abs(letters.count - typed.count) <= limit else { return nil }
            let found = distance(typed, letters)
            return found <= limit ? (found, name) : nil
        }
        return ranked.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
    }

    /// Returns names in the order of their edit distance to `text`, ignoring case; the nearest first, however far it is.
    package static func ranked(_ text: String, in names: some Sequence<String>) -> [String] {
        let typed = Array(text.lowercased())
        return names.map { (distance: distance(typed, Array($0.lowercased())), name: $0) }
            .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.map(\.name)
    }

    /// Returns an ending for a message, such as “; did you mean 'ugru'?”; empty if no name is near.
    public static func text(_ text: String, in names: some Sequence<String>) -> String {
        nearest(text, in: names).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// Returns the number of insertions, deletions, replacements and swaps of neighbours that
    /// turn one text into the other (Damerau 1964).
    static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var rows = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { rows[i][0] = i }
        for j in 0...b.count { rows[0][j] = j }
        for i in 0..<a.count {
            for j in 0..<b.count {
                var least = min(rows[i][j + 1] + 1, rows[i + 1][j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
                rows[i + 1][j + 1] = least
            }
        }
        return rows[a.count][b.count]
    }
}
