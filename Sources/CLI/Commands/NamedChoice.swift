import RecurrentCore
import RecurrentReproduction

/// A value that an argument of the command line names.
protocol NamedChoice: CaseIterable, RawRepresentable where RawValue == String {
    /// The word for such a value in messages.
    static var kind: String { get }
}

extension NamedChoice {
    /// Finds the value with a name, ignoring case as options of plug-ins do.
    ///
    /// - Throws: ``RecurrentError/unknownName(kind:name:known:)`` if there is none.
    init(named name: String) throws {
        let found = try knownName(name, of: Self.kind, in: Self.allCases.map(\.rawValue))
        self.init(rawValue: found)!
    }
}

/// Returns the known name that equals `name`, ignoring case if none is exactly equal.
///
/// - Throws: ``RecurrentError/unknownName(kind:name:known:)`` if there is none.
func knownName(_ name: String, of kind: String, in known: [String]) throws -> String {
    guard let found = OptionKind.find(name, in: known) else {
        throw RecurrentError.unknownName(kind: kind, name: name, known: known)
    }
    return found
}

extension Split: NamedChoice {
    static var kind: String { "split" }
}

extension Scale: NamedChoice {
    static var kind: String { "scale" }
}
