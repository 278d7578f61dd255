import Foundation

extension Figure {
    /// The largest value on a logarithmic axis; larger ones, and infinity, are drawn there.
    static let largest = 1e12

    /// The value at which vanishing values are drawn on a logarithmic y axis: below all curves, but at least 1e-12.
    public var lowest: Double {
        let values = curves.flatMap(\.points).map(\.y) + band.map(\.low)
        return max(1e-12, (values.filter { $0 > 0 && $0.isFinite }.min() ?? 1) / 3)
    }

    /// The upper end of a linear y axis, if a few spikes would flatten everything else; nil otherwise.
    ///
    /// It lies above 95 % of every curve's points.
    public var highest: Double? {
        guard !isLogarithmic, barWidth == nil else { return nil }
        let values = curves.map { $0.points.map(\.y).filter(\.isFinite).sorted() }.filter { !$0.isEmpty }
        guard let usual = values.map({ $0[min($0.count - 1, $0.count * 95 / 100)] }).max(),
            let most = values.map({ $0.last! }).max(),
            usual > 0, most > 2 * usual
        else { return nil }
        return 1.2 * usual
    }

    /// Returns the height of a value on the axis; nil if it has none.
    package func height(_ value: Double) -> Double? {
        guard isLogarithmic else { return value.isFinite ? value : nil }
        return value.isNaN ? nil : min(max(value, lowest), Self.largest)
    }

    /// Returns the height to which a curve is drawn, which may be above the frame, but not so far that gnuplot would give
    /// up; nil for a gap.
    func drawnHeight(_ value: Double) -> Double? {
        guard !isLogarithmic, barWidth == nil, let range = yRange, !value.isNaN else { return height(value) }
        let span = range.upperBound - range.lowerBound
        return min(max(value, range.lowerBound - 9 * span), range.upperBound + 9 * span)
    }

    /// The range of the y axis, with a margin, so that no curve lies on the frame; nil if there is nothing to draw.
    package var yRange: ClosedRange<Double>? {
        let drawn = (curves.flatMap(\.points).map(\.y) + band.flatMap { [$0.low, $0.high] }).compactMap(height)
        guard let low = drawn.min(), let most = drawn.max() else { return nil }
        if barWidth != nil { return 0...(most > 0 ? 1.05 * most : 1) }
        if isLogarithmic {
            let margin = max(pow(most / low, 0.04), 1.1)
            return low / margin...most * margin
        }
        let high = max(highest ?? most, low), span = high - low
        let margin = span > 0 ? 0.04 * span : max(0.1 * abs(high), 0.5)
        return low - margin...(highest ?? high + margin)
    }

    /// The range of the x axis: that of the tick marks, or that of the points with a margin; nil if there is nothing to
    /// draw.
    package var xRange: ClosedRange<Double>? {
        if let first = xTicks.first, let last = xTicks.last { return first.x...last.x }
        let places = curves.flatMap(\.points).map(\.x) + band.map(\.x)
        guard let first = places.min(), let last = places.max() else { return nil }
        let margin = last > first ? 0.02 * (last - first) : 1
        return first - margin...last + margin
    }

    /// Whether the x axis is so short that tick marks for whole numbers would have others between them, such as epoch 1.5.
    package var needsWholeTicks: Bool { xTicks.isEmpty && Self.areFewWholeNumbers(curves.flatMap(\.points).map(\.x)) }

    /// Whether the y axis counts something, such as eigenvalues, and is as short.
    var countsFew: Bool { barWidth != nil && Self.areFewWholeNumbers(curves.flatMap(\.points).map(\.y)) }

    private static func areFewWholeNumbers(_ values: [Double]) -> Bool {
        guard let first = values.min(), let last = values.max() else { return false }
        return last - first <= 10 && values.allSatisfy { $0 == $0.rounded() }
    }

    /// The tick marks of a logarithmic y axis of less than two powers of ten, on which gnuplot would label one or none; nil
    /// if it is longer.
    package var shortAxisTicks: [Double]? {
        guard isLogarithmic, let range = yRange, range.upperBound < 100 * range.lowerBound else { return nil }
        let (low, high) = (range.lowerBound, range.upperBound)
        let powers = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
        let usual = powers.flatMap { power in [1.0, 2, 5].map { $0 * pow(10, Double(power)) } }.filter(range.contains)
        guard usual.count < 3 else { return usual }
        // So short an axis is almost linear.
        let least = (high - low) / 8, power = pow(10, log10(least).rounded(.down))
        let step = [1.0, 2, 5].map { $0 * power }.first { $0 >= least } ?? 10 * power
        return stride(from: (low / step).rounded(.up), through: (high / step).rounded(.down), by: 1).map { $0 * step }
    }

    /// The points of a curve that lie above the frame, at the upper edge.
    package func cut(_ curve: Curve) -> [Point] {
        guard !isLogarithmic, let top = yRange?.upperBound, let bottom = yRange?.lowerBound else { return [] }
        return curve.points.filter { $0.y > top }.map { Point($0.x, top - 0.02 * (top - bottom)) }
    }

    /// Sentences about values that aren't drawn where they lie.
    package var remarks: [String] {
        let values = curves.flatMap(\.points).map(\.y)
        func text(_ value: Double) -> String {
            value.isFinite ? String(format: "%.3g", value) : "infinite"
        }
        func count(_ number: Int, _ one: String, _ many: String) -> String {
            number == 1 ? "1 \(one)" : "\(number) \(many)"
        }
        var remarks: [String] = []
        let top = isLogarithmic ? Self.largest : yRange?.upperBound ?? .infinity
        let above = values.filter { $0 > top || $0 == .infinity }
        if let largest = above.max() {
            let what = count(above.count, "value", "values") + " above \(text(top))"
            remarks.append(
                isLogarithmic
                    ? "\(what) drawn at the upper end (largest: \(text(largest)))"
                    : "\(what) not shown (▲; largest: \(text(largest)))")
        }
        let below = values.filter { isLogarithmic ? $0 < lowest : $0 == -.infinity }
        if !below.isEmpty {
            let what = count(below.count, "value", "values")
            remarks.append(
                isLogarithmic
                    ? "\(what) of \(below.contains { $0 > 0 } ? "less than \(text(lowest))" : "0") drawn at the lower end"
                    : "\(what) of minus infinity not shown")
        }
        let others = values.count(where: \.isNaN)
        if others > 0 { remarks.append(count(others, "value isn't a number", "values aren't numbers")) }
        return remarks
    }
}
