/// Which real numbers an option takes; infinity and what is no number are never among them.
public struct NumberBounds: Sendable, Hashable, CustomStringConvertible {
    private let lower: Double
    private let upper: Double
    private let includesLower: Bool
    private let includesUpper: Bool

    private init(_ lower: Double, _ upper: Double, _ includesLower: Bool, _ includesUpper: Bool) {
        (self.lower, self.upper, self.includesLower, self.includesUpper) = (lower, upper, includesLower, includesUpper)
    }

    /// Every finite number.
    public static let finite = NumberBounds(-.infinity, .infinity, false, false)
    /// Numbers above `bound`.
    public static func above(_ bound: Double) -> NumberBounds { NumberBounds(bound, .infinity, false, false) }
    /// Numbers that are at least `bound`.
    public static func atLeast(_ bound: Double) -> NumberBounds { NumberBounds(bound, .infinity, true, false) }
    /// Numbers in a range with both its ends.
    public static func within(_ range: ClosedRange<Double>) -> NumberBounds {
        NumberBounds(range.lowerBound, range.upperBound, true, true)
    }
    /// Numbers in a range without its upper end, as a dropout rate in `0..<1`.
    public static func within(_ range: Range<Double>) -> NumberBounds {
        NumberBounds(range.lowerBound, range.upperBound, true, false)
    }
    /// Numbers between two bounds, which are excluded.
    public static func between(_ lower: Double, and upper: Double) -> NumberBounds {
        NumberBounds(lower, upper, false, false)
    }

    /// Whether an option with these bounds takes `value`.
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
