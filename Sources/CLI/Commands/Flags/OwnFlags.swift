import ArgumentParser
import RecurrentCore

/// The options that a command itself has, besides those of the registry.
struct OwnFlags {
    /// The names without dashes, in the order of help.
    let names: [String]
    private let takingValue: Set<String>

    /// The options that may be given several times, each with another value.
    private static let repeatable: Set = ["try", "workload"]

    init(_ command: any ParsableCommand.Type) {
        let found = RootCommand.helpMessage(for: command, columns: 200).matches(of: /\n  (?:-\w, )?--([a-z-]+)( <)?/)
        names = found.map { String($0.output.1) }
        takingValue = Set(found.filter { $0.output.2 != nil }.map { String($0.output.1) })
    }

    /// Refuses an option that is given two values, of which ArgumentParser would keep one.
    ///
    /// - Parameter arguments: the arguments of the command.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` naming the option.
    func checkRepeated(_ arguments: some Collection<String>) throws {
        let words = Array(arguments.prefix { $0 != "--" })
        var given: [String: String] = [:]
        for (index, word) in words.enumerated() where word.hasPrefix("--") {
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first.map(String.init), takingValue.contains(name), !Self.repeatable.contains(name)
            else { continue }
            let value = parts.count > 1 ? String(parts[1]) : index + 1 < words.count ? words[index + 1] : ""
            if let other = given.updateValue(value, forKey: name), other != value {
                throw RecurrentError.invalidOption(
                    "--\(name) \(other) and --\(name) \(value) contradict each other; leave one out")
            }
        }
    }
}
