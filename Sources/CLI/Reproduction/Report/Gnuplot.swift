import Foundation
import RecurrentCore
import RecurrentRuns

/// Draws figures with gnuplot's SVG terminal.
public enum Gnuplot {
    /// Checks that gnuplot is installed.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if gnuplot isn't installed.
    public static func check() throws { _ = try program() }

    private static func program() throws -> String { try ChildProcess.find("gnuplot", package: "gnuplot-nox") }

    /// Draws a figure and returns it as an SVG document.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if gnuplot isn't installed, or fails.
    public static func svg(_ figure: Figure) throws -> String {
        let program = try program()
        // Writing to a pipe could end this program if gnuplot ends early, so the script is a file.
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("urnn-\(UUID().uuidString).gnuplot")
            .path
        try AtomicFile.write(script(figure), to: file)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let (ending, text, complaint) = try ChildProcess.run(program, [file])
        guard ending == .exit(0), !text.isEmpty else {
            let line = complaint.split(separator: "\n").last ?? "no output"
            throw RecurrentError.file(path: "gnuplot", reason: "failed to draw '\(figure.title)': \(line)")
        }
        return text
    }

    /// Returns the height of the drawing in pixels, which grows with the legend so that the plot doesn't shrink.
    static func height(_ figure: Figure) -> Int {
        let names =
            figure.curves.filter { !$0.points.isEmpty }.map(\.label)
            + (figure.band.isEmpty ? [] : ["between the bounds"])
        let columns = max(1, 720 / (8 * (names.map(\.count).max() ?? 0) + 60))
        return 420 + 18 * max(0, (names.count + columns - 1) / columns - 3)
    }

    // Okabe & Ito's palette, readable on light and dark backgrounds.
    private static let colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
    static func script(_ figure: Figure) -> String {
        func quoted(_ text: String) -> String {
            "\"" + text.map { "\\\"\n".contains($0) ? " " : String($0) }.joined() + "\""
        }
        func y(_ value: Double) -> String {
            let value = figure.isLogarithmic ? min(max(value, figure.lowest), 1e12) : value
            return value.isFinite ? "\(value)" : "NaN"
        }
        var lines = [
            "set encoding utf8",
            "set terminal svg size 720,\(height(figure)) dynamic noenhanced font 'sans-serif,14' background 'white'",
            "set title \(quoted(figure.title))", "set xlabel \(quoted(figure.xLabel))",
            "set ylabel \(quoted(figure.yLabel))",
            "set key below samplen 2.5", "set grid lc rgb '#dddddd'",
        ]
        if figure.isLogarithmic { lines.append("set logscale y; set format y '1e%L'; set yrange [\(figure.lowest):]") }
        if let highest = figure.highest { lines.append("set yrange [:\(highest)]") }
        if let first = figure.xTicks.first, let last = figure.xTicks.last {
            lines.append("set xtics (\(figure.xTicks.map { "\(quoted($0.label)) \($0.x)" }.joined(separator: ", ")))")
            lines.append("set xrange [\(first.x):\(last.x)]")
        }
        if let width = figure.barWidth { lines.append("set boxwidth \(width) absolute; set yrange [0:]") }
        var parts: [String] = []
        if !figure.band.isEmpty {
            lines += ["$band << EOD"] + figure.band.map { "\($0.x) \(y($0.low)) \(y($0.high))" } + ["EOD"]
            parts.append(
                "$band using 1:2:3 with filledcurves fc rgb '#808080' fs transparent solid 0.15 title 'between the bounds'"
            )
            parts += ["2", "3"].map { "$band using 1:\($0) with lines lc rgb '#808080' dt 2 lw 1.5 notitle" }
        }
        for (index, curve) in figure.curves.enumerated() where !curve.points.isEmpty {
            lines += ["$curve\(index) << EOD"] + curve.points.map { "\($0.x) \(y($0.y))" } + ["EOD"]
            let style =
                figure.barWidth != nil
                ? "boxes fs transparent solid 0.4" : curve.points.count > 15 ? "lines" : "linespoints pt 7 ps 0.4"
            parts.append(
                "$curve\(index) using 1:2 with \(style) "
                    + "lc rgb '\(colors[index % colors.count])' dt \(index / colors.count + 1) lw 2 title \(quoted(curve.label))"
            )
        }
        lines.append("plot " + parts.joined(separator: ", "))
        return lines.joined(separator: "\n") + "\n"
    }
}
