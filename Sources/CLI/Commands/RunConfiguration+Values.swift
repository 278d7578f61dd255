import Foundation

extension RunConfiguration {
    /// An option in which two configurations differ; a value that isn't set is nil.
    struct Change {
        /// In `config.json`.
        let key: String
        /// On the command line.
        let option: String
        let old: String?
        let new: String?
    }

    /// The options in which another configuration differs, in the order of their names.
    func changes(to wanted: RunConfiguration) throws -> [Change] {
        let old = try values(), new = try wanted.values()
        return Set(old.keys).union(new.keys).sorted().filter { old[$0] != new[$0] }.map { key in
            Change(
                key: key, option: key.reduce(into: "--") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) },
                old: old[key], new: new[key])
        }
    }

    /// Every value that is set, as text, by its key in `config.json`.
    private func values() throws -> [String: String] {
        try JSONDecoder().decode([String: OptionValue].self, from: JSONEncoder().encode(self)).mapValues(\.text)
    }
}

/// A value of `config.json`, of whatever type.
private struct OptionValue: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            text = "\(flag)"
        } else if let number = try? container.decode(UInt64.self) {
            text = "\(number)"
        } else if let number = try? container.decode(Double.self) {
            text = "\(number)"
        } else if let list = try? container.decode([String].self) {
            text = list.joined(separator: ",")
        } else if let list = try? container.decode([Int].self) {
            text = list.map(String.init).joined(separator: ",")
        } else {
            text = try container.decode(String.self)
        }
    }
}
