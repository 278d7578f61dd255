import Foundation
import RecurrentCore

/// One step of `cli gradients`: what `--json` prints.
struct GradientPoint: Codable, Sendable {
    let step: Int
    let frobeniusNorm: Double
    let frobeniusNormMinimum: Double
    let frobeniusNormMaximum: Double
    let operatorNorm: Double
    let operatorNormMaximum: Double
    /// Of the Frobenius norm; nil for cells without bounds.
    let lowerBound: Double?
    let upperBound: Double?
}

extension GradientNorms {
    /// - Precondition: measured with every step's operator norm.
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

/// Norms for a terminal.
enum GradientTable {
    private static let rows = 20

    /// Some 20 of the steps, the first and the last among them.
    static func text(_ points: [GradientPoint]) -> String {
        let stride = max((points.count + rows - 1) / rows, 1)
        let shown = points.enumerated().filter { $0.offset % stride == 0 || $0.offset == points.count - 1 }.map(\.element)
        return Terminal.table(
            ["step", "‖·‖F mean", "min", "max", "‖·‖2 mean", "lower bound", "upper bound"],
            shown.map { p in
                ["\(p.step)"]
                    + [p.frobeniusNorm, p.frobeniusNormMinimum, p.frobeniusNormMaximum, p.operatorNorm].map(number)
                    + [p.lowerBound, p.upperBound].map { $0.map(number) ?? "–" }
            })
    }

    static func number(_ value: Double) -> String {
        value == 0 || (1e-3..<1e5).contains(abs(value)) ? String(format: "%.5g", value) : String(format: "%.2e", value)
    }

    /// The Frobenius norm (•) over the steps, on a logarithmic axis, with its bounds (─).
    static func chart(_ points: [GradientPoint], width: Int, height: Int = 12) -> String {
        let floor = -12.0
        func level(_ value: Double) -> Double { value > 0 ? min(max(log10(value), floor), 12) : floor }
        let levels = points.flatMap { [$0.frobeniusNorm, $0.lowerBound ?? $0.frobeniusNorm, $0.upperBound ?? $0.frobeniusNorm] }.map(level)
        let low = (levels.min()! - 0.05).rounded(.down), high = max((levels.max()! + 0.05).rounded(.up), low + 1)
        let columns = max(width - 10, 10)
        var grid = [[Character]](repeating: .init(repeating: " ", count: columns), count: height)
        func mark(_ column: Int, _ value: Double?, _ sign: Character) {
            guard let value, !value.isNaN else { return }
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
        let axis = String(repeating: " ", count: 10) + "\(points[0].step)" + String(repeating: " ", count: max(columns - ends, 1)) + "\(points[points.count - 1].step)"
        return (lines + [axis]).joined(separator: "\n")
    }
}
