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

    /// Returns a label of the legend, without its middle if it is so long that gnuplot would leave out the whole legend.
    private static func short(_ label: String) -> String {
        label.count <= 60 ? label : "\(label.prefix(29)) … \(label.suffix(28))"
    }

    /// Returns the height of the drawing in pixels, which grows with the legend so that the plot doesn't shrink.
    static func height(_ figure: Figure) -> Int {
        let names =
            figure.curves.filter { !$0.points.isEmpty }.map { short($0.label) }
            + (figure.band.isEmpty ? [] : ["between the bounds"])
        // gnuplot estimates the width of a character as 0.6 of its height.
        let columns = max(1, 600 / (8.4 * Double(names.map(\.count).max() ?? 0) + 60))
        let rows = (names.count + Int(columns) - 1) / Int(columns)
        return 420 + 18 * max(0, rows - 3) + 14 * figure.remarks.count
    }

    /// Returns the commands for the title, and for a line below it with what the curves don't show.
    private static func heading(_ figure: Figure, _ quoted: (String) -> String) -> [String] {
        let remarks = figure.remarks
        guard !remarks.isEmpty else { return ["set title \(quoted(figure.title))"] }
        let text = remarks.map { quoted($0).dropFirst().dropLast() }.joined(separator: "\\n")
        return [
            "set tmargin \(3.2 + Double(remarks.count))",
            "set title \(quoted(figure.title)) offset 0, \(remarks.count)",
            "set label \"\(text)\" at graph 0.5, graph 1 center offset 0, \(Double(remarks.count) - 0.2) font 'sans-serif,11' tc rgb '#555555'",
        ]
    }

    // Okabe & Ito's palette, readable on light and dark backgrounds.
    private static let colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
    static func script(_ figure: Figure) -> String {
        func quoted(_ text: String) -> String {
            "\"" + text.map { "\\\"\n".contains($0) ? " " : String($0) }.joined() + "\""
        }
        func y(_ value: Double) -> String { figure.drawnHeight(value).map { "\($0)" } ?? "NaN" }
        var lines = [
            "set encoding utf8",
            "set terminal svg size 720,\(height(figure)) dynamic noenhanced font 'sans-serif,14' background 'white'",
            "set xlabel \(quoted(figure.xLabel)) offset 0, 0.6", "set ylabel \(quoted(figure.yLabel))",
            "set key below samplen 2.5 height 1", "set grid lc rgb '#dddddd'",
        ]
        lines += heading(figure, quoted)
        if let range = figure.yRange {
            lines.append("set yrange [\(range.lowerBound):\(range.upperBound)]")
            if figure.isLogarithmic { lines.append("set logscale y; set format y '1e%L'") }
            if let ticks = figure.shortAxisTicks {
                lines.append("set format y '%g'; set ytics (\(ticks.map { "\($0)" }.joined(separator: ", ")))")
            }
            if figure.countsFew { lines.append("set ytics 1") }
        }
        if let range = figure.xRange { lines.append("set xrange [\(range.lowerBound):\(range.upperBound)]") }
        if !figure.xTicks.isEmpty {
            lines.append("set xtics (\(figure.xTicks.map { "\(quoted($0.label)) \($0.x)" }.joined(separator: ", ")))")
        } else if figure.needsWholeTicks {
            lines.append("set xtics 1")
        }
        if let width = figure.barWidth { lines.append("set boxwidth \(width) absolute") }
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
                    + "lc rgb '\(colors[index % colors.count])' dt \(index / colors.count + 1) lw 2 title \(quoted(short(curve.label)))"
            )
            let cut = figure.cut(curve)
            if !cut.isEmpty {
                lines += ["$cut\(index) << EOD"] + cut.map { "\($0.x) \($0.y)" } + ["EOD"]
                parts.append(
                    "$cut\(index) using 1:2 with points pt 9 ps 0.7 lc rgb '\(colors[index % colors.count])' notitle")
            }
        }
        lines.append("plot " + parts.joined(separator: ", "))
        return lines.joined(separator: "\n") + "\n"
    }
}
