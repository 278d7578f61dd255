import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns

/// The norms at one step, as `cli gradients --json` prints them.
struct GradientPoint: Codable, Sendable {
    let step: Int
    let frobeniusNorm: Double
    let frobeniusNormMinimum: Double
    let frobeniusNormMaximum: Double
    let operatorNorm: Double
    let operatorNormMaximum: Double
    /// The lower bound of the Frobenius norm; nil for cells without bounds.
    let lowerBound: Double?
    /// The upper bound of the Frobenius norm; nil for cells without bounds.
    let upperBound: Double?

    /// Encodes every key, with null for a missing bound.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(step, forKey: .step)
        for (key, value) in [
            (CodingKeys.frobeniusNorm, frobeniusNorm), (.frobeniusNormMinimum, frobeniusNormMinimum),
            (.frobeniusNormMaximum, frobeniusNormMaximum), (.operatorNorm, operatorNorm),
            (.operatorNormMaximum, operatorNormMaximum), (.lowerBound, lowerBound), (.upperBound, upperBound),
        ] { try container.encode(value, forKey: key) }
    }
}

extension GradientNorms {
    /// Returns a point for each step, with the bounds of its norm.
    ///
    /// - Precondition: The operator norm was measured at every step.
    func points(bounds: GradientBounds?) -> [GradientPoint] {
        steps.map { step in
            let range = bounds?.frobeniusNorm(after: step.step - from), top = step.operatorNorm!
            return GradientPoint(
                step: step.step, frobeniusNorm: step.frobenius.mean, frobeniusNormMinimum: step.frobenius.minimum,
                frobeniusNormMaximum: step.frobenius.maximum, operatorNorm: top.mean, operatorNormMaximum: top.maximum,
                lowerBound: range?.lowerBound, upperBound: range?.upperBound)
        }
    }
}

/// The gradient norms as text for a terminal, and as a figure.
enum GradientTable {
    private static let rows = 20

    /// Returns a table of about 20 steps, including the first and the last.
    static func text(_ points: [GradientPoint]) -> String {
        let stride = max((points.count + rows - 1) / rows, 1)
        let shown = points.enumerated().filter { $0.offset % stride == 0 || $0.offset == points.count - 1 }.map(
            \.element)
        return Terminal.table(
            ["step", "‖·‖F mean", "min", "max", "‖·‖2 mean", "lower bound", "upper bound"],
            shown.map { p in
                ["\(p.step)"]
                    + [p.frobeniusNorm, p.frobeniusNormMinimum, p.frobeniusNormMaximum, p.operatorNorm].map(
                        Format.significant)
                    + [p.lowerBound, p.upperBound].map { $0.map(Format.significant) ?? "–" }
            })
    }

    /// Returns a chart of the Frobenius norm (•) over the steps, on a logarithmic axis, with its bounds (─).
    static func chart(_ points: [GradientPoint], width: Int, height: Int = 12) -> String {
        let floor = -12.0
        func level(_ value: Double) -> Double { value > 0 ? min(max(log10(value), floor), 12) : floor }
        // A bound of 0 or ∞ has no place on this axis.
        let bounds = points.flatMap { [$0.lowerBound, $0.upperBound] }.compactMap(\.self).filter {
            $0 > 0 && $0.isFinite
        }
        let levels = (points.map(\.frobeniusNorm) + bounds).map(level)
        let low = (levels.min()! - 0.05).rounded(.down), high = max((levels.max()! + 0.05).rounded(.up), low + 1)
        let columns = max(width - 10, 10)
        var grid = [[Character]](repeating: .init(repeating: " ", count: columns), count: height)
        func mark(_ column: Int, _ value: Double?, _ sign: Character) {
            guard let value, !value.isNaN, (low...high).contains(level(value)) else { return }
            let row = Int(((high - level(value)) / (high - low) * Double(height - 1)).rounded())
            grid[row][column] = sign
        }
        for column in 0..<columns {
            let point = points[column * (points.count - 1) / max(columns - 1, 1)]
            mark(column, point.lowerBound, "─")
            mark(column, point.upperBound, "─")
            mark(column, point.frobeniusNorm, "•")
        }
        let lines = grid.enumerated().map { row, line -> String in
            let label = row == 0 ? high : row == height - 1 ? low : nil
            let name = label.map { "1e\(Int($0))" } ?? ""
            let text = String(repeating: " ", count: max(8 - name.count, 0)) + name
            return "\(text) │\(String(line))"
        }
        let ends = "\(points[0].step)".count + "\(points[points.count - 1].step)".count
        let axis =
            String(repeating: " ", count: 10) + "\(points[0].step)"
            + String(repeating: " ", count: max(columns - ends, 1)) + "\(points[points.count - 1].step)"
        return (lines + [axis]).joined(separator: "\n")
    }

    /// Returns a figure of both norms over the steps, with the bounds shaded.
    static func figure(_ points: [GradientPoint], _ title: String) -> Figure {
        var figure = Figure(
            title: "‖∂x_t/∂x_\(points[0].step)‖, \(title)", xLabel: "step t", yLabel: "norm", isLogarithmic: true)
        figure.curves = [
            .init("Frobenius norm", points.map { .init(Double($0.step), $0.frobeniusNorm) }),
            .init("operator norm", points.map { .init(Double($0.step), $0.operatorNorm) }),
        ]
        figure.band = points.compactMap { point in
            point.lowerBound.map { .init(x: Double(point.step), low: $0, high: point.upperBound!) }
        }
        return figure
    }
}
