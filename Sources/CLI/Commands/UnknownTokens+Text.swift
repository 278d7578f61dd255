import RecurrentCore
import RecurrentRuns

extension UnknownTokens {
    /// Returns the count and the percentage, such as “12 of 2405 tokens (0.50 %)”.
    func text(_ unit: String) -> String {
        let percentage = share > 0 && share < 0.00005 ? "under 0.01 %" : Format.percent(share)
        return "\(count) of \(total) \(unit) (\(percentage))"
    }
}

extension VocabularyProviding {
    /// A line about the words of each split that the vocabulary lacks; nil if it lacks none.
    var unknownTokensLine: String? {
        let unit = Self.tokenForm == .words ? "tokens" : "characters"
        let parts = Split.allCases.compactMap { split in
            unknownTokens(split).flatMap { $0.count > 0 ? "\(split) \($0.text(unit))" : nil }
        }
        return parts.isEmpty ? nil : "not in the vocabulary, read as <unk>: \(parts.joined(separator: ", "))"
    }
}
