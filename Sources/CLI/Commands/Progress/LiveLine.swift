/// The geometry of a line that is redrawn in place at the bottom of a terminal.
package enum LiveLine {
    /// The number of columns that the line may fill: a line that wraps couldn't be redrawn, and the terminal may add `^C`.
    package static func columns(_ width: Int) -> Int { max(width - 3, 0) }

    /// Returns the number of columns of a text; characters of East Asian scripts and pictographs take two.
    package static func columns(of text: String) -> Int { text.reduce(0) { $0 + columns(of: $1) } }

    private static func columns(of character: Character) -> Int {
        character.unicodeScalars.contains { $0.value >= 0x1100 && !(0x1E00..<0x2E80).contains($0.value) } ? 2 : 1
    }

    /// Returns as many characters of a text as fit into some columns.
    package static func cut(_ text: String, to columns: Int) -> String {
        var left = columns
        return String(
            text.prefix {
                left -= self.columns(of: $0)
                return left >= 0
            })
    }

    /// Returns the codes that erase a line of some columns, behind which the cursor is.
    ///
    /// A terminal that has become narrower has wrapped the line into several rows.
    package static func erasing(_ columns: Int, width: Int) -> String {
        let rows = max(columns - 1, 0) / max(width, 1)
        return rows == 0 ? "\r\u{1B}[K" : "\r\u{1B}[\(rows)A\u{1B}[J"
    }
}
