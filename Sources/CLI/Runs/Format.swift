import Foundation

/// Formatting of numbers, times and percentages for readers.
package enum Format {
    /// Returns a number with a fixed number of digits after the decimal point.
    package static func fixed(_ value: Double, digits: Int = 4) -> String { String(format: "%.\(digits)f", value) }

    /// Returns a fraction as a percentage with two decimals.
    package static func percent(_ value: Double) -> String { String(format: "%.2f %%", 100 * value) }

    /// Returns a number with up to five significant digits, in scientific notation if it is very small or large.
    package static func significant(_ value: Double) -> String {
        value == 0 || (1e-3..<1e5).contains(abs(value)) ? String(format: "%.5g", value) : String(format: "%.2e", value)
    }

    /// Returns a duration as `1:02:03` or `4:05`; `?` if it is unknown or very long.
    package static func time(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e7 else { return "?" }
        let s = Int(seconds.rounded())
        return s >= 3600
            ? String(format: "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60) : String(format: "%d:%02d", s / 60, s % 60)
    }

    /// Returns a number for a report, in scientific notation if it is too small for the number of decimals, or very large.
    package static func number(_ value: Double, digits: Int = 2) -> String {
        guard value.isFinite else { return value.isNaN ? "–" : value > 0 ? "∞" : "−∞" }
        if value != 0, abs(value) < (digits < 4 ? 0.5 : 100) * pow(10, -Double(digits)) || abs(value) >= 1e7 {
            return String(format: "%.1e", value)
        }
        return String(format: "%.\(digits)f", value)
    }

    /// Returns the mean ± the sample standard deviation; the mean alone if there is only one value, or if all values are
    /// equal and `digits` is 0.
    package static func mean(_ values: [Double], digits: Int = 2, scale: Double = 1) -> String {
        guard !values.isEmpty else { return "–" }
        let values = values.map { $0 * scale }
        let mean = values.reduce(0, +) / Double(values.count)
        guard values.count > 1, digits > 0 || Set(values).count > 1 else { return number(mean, digits: digits) }
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
        return "\(number(mean, digits: digits)) ± \(number(variance.squareRoot(), digits: digits))"
    }

    /// Returns the smallest and the largest value with three significant digits, for values that lie orders of magnitude
    /// apart; a single number if these are equal.
    package static func range(_ values: [Double]) -> String {
        guard let low = values.min(), let high = values.max() else { return "–" }
        let texts = [low, high].map { String(format: "%.3g", $0) }
        return texts[0] == texts[1] ? texts[0] : texts.joined(separator: " … ")
    }
}
