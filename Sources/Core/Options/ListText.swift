/// A list that is written as text, such as `embedding,output` on a command line.
public enum ListText {
    /// Returns the elements of a list, without the blanks around them.
    ///
    /// - Parameters:
    ///   - text: the text of the list, with commas between the elements.
    ///   - name: the option's name, for the message; a library's in backticks, a flag with dashes.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the option if an element is empty.
    public static func elements(_ text: String, of name: String) throws -> [String] {
        let elements = text.split(separator: ",", omittingEmptySubsequences: false).map { element in
            trimmed(element)
        }
        guard !elements.contains("") else {
            throw RecurrentError.invalidOption(
                "\(name) has an empty element in '\(text.excerpt)'; write its elements with single commas between them")
        }
        return elements
    }

    /// Returns a text without the blanks around it.
    static func trimmed(_ text: Substring) -> String {
        String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
