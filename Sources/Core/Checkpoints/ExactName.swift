/// A name that equals only names of the same bytes, as in the files and the libraries that others read them with.
///
/// As Strings, an é of one code point and one of two are equal, but a file may hold both.
package struct ExactName: Hashable, Sendable {
    /// The name as text.
    package let text: String
    /// Creates an exact name.
    package init(_ text: String) { self.text = text }
    package static func == (a: ExactName, b: ExactName) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }
    package func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}
