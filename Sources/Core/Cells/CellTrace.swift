import Synchronization

/// What tracing a cell's equations notes: the parameters that they use, and the first mistake.
///
/// ``RecurrentCell/step(input:states:parameters:)`` doesn't throw, so that equations can be written without `try`; its
/// symbols note what is wrong here and go on with zeros. ``TracedStep`` then throws the first note.
final class CellTrace: Sendable {
    let cellName: String
    let parameters: [CellParameter]

    private struct Notes {
        var mistake: String?
        var used: Set<Int> = []
    }
    private let notes = Mutex(Notes())

    init(cellName: String, parameters: [CellParameter]) {
        self.cellName = cellName
        self.parameters = parameters
    }

    /// The first mistake; nil if there is none.
    var mistake: RecurrentError? {
        notes.withLock(\.mistake).map { .cell("cell '\(cellName)' \($0)") }
    }

    /// The first parameter that hasn't been used.
    var unusedParameter: CellParameter? {
        let used = notes.withLock(\.used)
        return parameters.indices.first { !used.contains($0) }.map { parameters[$0] }
    }

    /// Notes a mistake, in words that follow the cell's name.
    func note(_ mistake: String) {
        notes.withLock { if $0.mistake == nil { $0.mistake = mistake } }
    }

    /// Returns the number of the parameter with this name, which is then in use; nil if there is none.
    func use(_ name: String) -> Int? {
        guard let index = parameters.firstIndex(where: { $0.name == name }) else {
            let names = parameters.map(\.name)
            note(
                names.isEmpty
                    ? "uses '\(name)', but declares no parameters"
                    : "uses '\(name)', but its parameters are \(names.listed)\(Self.suggestion(name, in: names))")
            return nil
        }
        notes.withLock { _ = $0.used.insert(index) }
        return index
    }

    /// Returns an ending for a message that names the nearest name; empty for names of one letter, which are all near.
    static func suggestion(_ name: String, in names: [String]) -> String {
        name.count > 1 ? Suggestion.text(name, in: names) : ""
    }
}

extension [String] {
    /// The names in one line, as in “h, c”.
    var listed: String { joined(separator: ", ") }
}
