import Foundation
import RecurrentCore
import RecurrentRuns

/// An option of `cli train` with the values, or the range of values, that a search tries.
public struct SearchAxis: Sendable, Equatable {
    /// The name of the option on the command line, without its dashes.
    public let option: String
    /// The values as they are written on a command line; empty for a range.
    public let values: [String]
    /// Whether the values were separated by commas, which the values of an option that is a list have themselves.
    public let isSplitAtCommas: Bool
    private let range: ClosedRange<Double>?
    private let isWhole: Bool

    /// Whether the axis is a range, from which values are drawn.
    public var isRange: Bool { range != nil }

    /// Creates an axis from text.
    ///
    /// `learning-rate=0.001,0.003` has two values, `dropout-on=embedding,output|logits` has two values that are lists,
    /// `tied=true,false` tries both values of a flag, and `learning-rate=0.0001..0.01` is a range.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` if the text has another form, a value is empty or
    ///   repeated, or a range isn't one.
    public init(text: String) throws {
        func flaw(_ reason: String) -> RecurrentError { .invalidOption("`try` \(text): \(reason)") }
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty,
            parts[0].allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }),
            !parts[0].hasPrefix("-")
        else {
            throw RecurrentError.invalidOption(
                "`try` takes an option without its dashes and the values to try, such as learning-rate=0.001,0.003, not '\(text)'"
            )
        }
        option = Flags.canonical(parts[0])
        let given = parts[1]
        // Paths may have two dots as well.
        if given.contains(".."), !given.contains(where: { "/,|".contains($0) }) {
            let ends = given.split(separator: "..", omittingEmptySubsequences: false).map(String.init)
            guard ends.count == 2 else { throw flaw("a range has two ends, such as 0.0001..0.01") }
            let numbers = try ends.map { end in
                guard let number = Double(end), number.isFinite else {
                    throw flaw("'\(end)' isn't a number; a range has two, such as 0.0001..0.01")
                }
                return number
            }
            guard numbers[0] <= numbers[1] else {
                throw flaw("the range is reversed; write \(ends[1])..\(ends[0])")
            }
            guard numbers[0] < numbers[1] else { throw flaw("the ends of the range are equal") }
            range = numbers[0]...numbers[1]
            isWhole = ends.allSatisfy { Int($0) != nil } && numbers[0] >= 1
            (values, isSplitAtCommas) = ([], false)
            return
        }
        (range, isWhole) = (nil, false)
        isSplitAtCommas = !given.contains("|")
        values = given.split(separator: isSplitAtCommas ? "," : "|", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        guard !values.contains("") else {
            throw flaw("a value is empty; write the values with single commas between them")
        }
        for (index, value) in values.enumerated() {
            let equal = values[..<index].first { $0 == value || (Double($0) != nil && Double($0) == Double(value)) }
            if let equal {
                throw flaw(
                    equal == value ? "names \(value) twice" : "\(equal) and \(value) are the same number; leave one out"
                )
            }
        }
    }

    /// Draws a value at random; from a range whose ends are above 0, uniformly in the logarithm.
    func draw(_ random: inout RandomStream) -> String {
        guard let range else { return values[random.integer(below: values.count)] }
        let number: Double
        if range.lowerBound > 0 {
            number = exp(random.uniform(in: log(range.lowerBound)...log(range.upperBound)))
        } else {
            number = random.uniform(in: range)
        }
        let kept = min(max(number, range.lowerBound), range.upperBound)
        // Three digits are as precise as a search needs, and keep the names of folders short.
        return isWhole
            ? "\(Int(exactly: kept.rounded()) ?? .max)" : OptionValue.number(Double(String(format: "%.3g", kept))!).text
    }
}
