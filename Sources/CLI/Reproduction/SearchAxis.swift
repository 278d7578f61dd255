import Foundation
import RecurrentCore
import RecurrentRuns

/// An option of `cli train` with the values, or the range of values, that a search tries.
public struct SearchAxis: Sendable, Equatable {
    /// The name of the option on the command line, without its dashes.
    public let option: String
    /// The values as they are written on a command line; empty for a range.
    public let values: [String]
    private let range: ClosedRange<Double>?
    private let isWhole: Bool

    var isRange: Bool { range != nil }

    /// Creates an axis from text; nil if the text has another form, or repeats a value.
    ///
    /// `learning-rate=0.001,0.003` has two values, `dropout-on=embedding,output|logits` has two values that are lists,
    /// `tied=true,false` tries both values of a flag, and `learning-rate=0.0001..0.01` is a range.
    public init?(text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty,
            parts[0].allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }),
            !parts[0].hasPrefix("-")
        else { return nil }
        option = Flags.canonical(parts[0])
        let ends = parts[1].split(separator: "..", omittingEmptySubsequences: false).map { Double($0) }
        if parts[1].contains("..") {
            guard ends.count == 2, let low = ends[0], let high = ends[1], low.isFinite, high.isFinite, low < high else {
                return nil
            }
            range = low...high
            isWhole = parts[1].split(separator: "..").allSatisfy { Int($0) != nil } && low >= 1
            values = []
            return
        }
        (range, isWhole) = (nil, false)
        values = parts[1].split(separator: parts[1].contains("|") ? "|" : ",", omittingEmptySubsequences: false).map(
            String.init)
        guard !values.contains(""), Set(values).count == values.count else { return nil }
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
