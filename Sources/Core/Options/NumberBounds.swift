/// The range of real numbers that an option accepts; infinity and NaN are never accepted.
public struct NumberBounds: Sendable, Hashable, CustomStringConvertible {
    private let lower: Double
    private let upper: Double
    private let includesLower: Bool
    private let includesUpper: Bool

    private init(_ lower: Double, _ upper: Double, _ includesLower: Bool, _ includesUpper: Bool) {
        (self.lower, self.upper, self.includesLower, self.includesUpper) = (lower, upper, includesLower, includesUpper)
    }

    /// The bounds that accept every finite number.
    public static let finite = NumberBounds(-.infinity, .infinity, false, false)
    /// Returns bounds that accept numbers above `bound`.
    public static func above(_ bound: Double) -> NumberBounds { NumberBounds(bound, .infinity, false, false) }
    /// Returns bounds that accept numbers of at least `bound`.
    public static func atLeast(_ bound: Double) -> NumberBounds { NumberBounds(bound, .infinity, true, false) }
    /// Returns bounds that accept numbers in a range, including both ends.
    public static func within(_ range: ClosedRange<Double>) -> NumberBounds {
        NumberBounds(range.lowerBound, range.upperBound, true, true)
    }
    /// Returns bounds that accept numbers in a range without its upper end, such as `0..<1` for
    /// a dropout rate.
    public static func within(_ range: Range<Double>) -> NumberBounds {
        NumberBounds(range.lowerBound, range.upperBound, true, false)
    }
    /// Returns bounds that accept numbers between `lower` and `upper`, excluding both.
    public static func between(_ lower: Double, and upper: Double) -> NumberBounds {
        NumberBounds(lower, upper, false, false)
    }

    /// Returns whether an option with these bounds accepts `value`.
    public func contains(_ value: Double) -> Bool {
        value.isFinite && (includesLower ? value >= lower : value > lower)
            && (includesUpper ? value <= upper : value < upper)
    }

    /// The bounds in words, to follow “must be”.
    public var description: String {
        func text(_ value: Double) -> String { OptionValue.number(value).text }
        if includesLower, includesUpper { return "in \(text(lower))...\(text(upper))" }
        let low = lower == -.infinity ? nil : (includesLower ? "at least " : "above ") + text(lower)
        let high = upper == .infinity ? "finite" : "below \(text(upper))"
        return [low, high].compactMap(\.self).joined(separator: " and ")
    }
}
