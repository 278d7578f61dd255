import Foundation

/// A report as a self-contained HTML page, which loads nothing from elsewhere.
struct HTMLReport {
    let report: Report
    /// The SVG documents by the names of the plots.
    let drawings: [String: String]

    var text: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <link rel="icon" href="data:,">
        <title>\(escaped(report.title))</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <header><h1>\(escaped(report.title))</h1>
        <dl>\(report.facts.map { "<dt>\(escaped($0))</dt><dd>\($0 == "Command" ? "<code>\(escaped($1))</code>" : inline($1))</dd>" }.joined())</dl>
        <nav>\(report.sections.map { "<a href=\"#\($0.id)\">\(escaped(Self.short($0.title)))</a>" }.joined(separator: " "))</nav>
        </header>
        <main>
        \(report.sections.map(section).joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
    }

    /// Returns the part of a title before the colon, such as “Table 3”, for the list of contents.
    private static func short(_ title: String) -> String { title.split(separator: ":").first.map(String.init) ?? title }

    private func section(_ section: Section) -> String {
        var parts = ["<section id=\"\(section.id)\"><h2>\(escaped(section.title))</h2>"]
        parts += section.notes.map { "<p>\(inline($0))</p>" }
        parts += section.tables.map(table)
        parts += section.plots.map { plot in
            let data = Data((drawings[plot.name] ?? "").utf8).base64EncodedString()
            return
                "<figure class=\"plot\"><img alt=\"\(escaped(plot.figure.title)): \(escaped(plot.figure.curves.map(\.label).joined(separator: ", ")))\" "
                + "width=\"720\" height=\"\(Gnuplot.height(plot.figure))\" src=\"data:image/svg+xml;base64,\(data)\"></figure>"
        }
        parts += section.texts.map { "<h3>\(escaped($0.title))</h3><pre>\(escaped($0.text))</pre>" }
        let records = section.uniqueRecords
        if !records.isEmpty {
            parts.append(
                "<details><summary>\(records.count == 1 ? "1 run" : "\(records.count) runs") behind this: command, machine, folder</summary><ul>"
            )
            parts += records.map(run)
            parts.append("</ul></details>")
        }
        return parts.joined(separator: "\n") + "</section>"
    }

    private func run(_ record: RunRecord) -> String {
        let done = record.completion
        return "<li>\(escaped(record.experiment.id)), seed \(record.seed) "
            + "<code>cli \(escaped(Report.shell(done.command)))</code> "
            + "<small>\(Int(done.seconds.rounded())) s on \(escaped(done.machine)), \(escaped(done.date))\(record.ending.map { "; " + escaped($0) } ?? "")</small></li>"
    }

    private func table(_ table: Section.Table) -> String {
        func row(_ cells: [String], _ tag: String) -> String {
            "<tr>" + cells.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined() + "</tr>"
        }
        return "<div class=\"scroll\"><table id=\"\(table.name)-data\"><thead>\(row(table.header, "th"))</thead><tbody>"
            + table.rows.map { row($0, "td") }.joined(separator: "\n") + "</tbody></table></div>"
    }

    /// Returns a sentence in which the code spans of Markdown are those of HTML.
    private func inline(_ text: String) -> String {
        escaped(text).replacing(/`([^`]+)`/) { "<code>\($0.output.1)</code>" }
    }

    private func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
    }

    private static let style = """
        :root { --ground: #fff; --ink: #1b1f24; --faint: #59636e; --line: #d1d9e0; --shade: #f6f8fa; --link: #0550ae; }
        @media (prefers-color-scheme: dark) {
          :root { --ground: #0d1117; --ink: #e6edf3; --faint: #9198a1; --line: #3d444d; --shade: #151b23; --link: #79c0ff; }
          figure img { filter: invert(.93) hue-rotate(180deg); }
        }
        body { margin: 0 auto; max-width: 70rem; padding: 1rem; background: var(--ground); color: var(--ink);
          font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
        h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; }
        a { color: var(--link); } nav a { display: inline-block; margin: 0 .6rem .3rem 0; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: var(--faint); } dd { margin: 0; }
        /* Shadows at the edges where a table continues; they disappear at its ends. */
        .scroll { overflow-x: auto; background:
          linear-gradient(to right, var(--ground) 50%, transparent) left / 2rem 100% no-repeat local,
          linear-gradient(to left, var(--ground) 50%, transparent) right / 2rem 100% no-repeat local,
          linear-gradient(to right, var(--line), transparent) left / .7rem 100% no-repeat scroll,
          linear-gradient(to left, var(--line), transparent) right / .7rem 100% no-repeat scroll; }
        p, dl { max-width: 60rem; } table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
        th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
        td:last-child { white-space: normal; }
        th { white-space: normal; vertical-align: bottom; border-bottom-width: 2px; } th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
        figure { margin: 1rem 0; overflow-x: auto; } img { max-width: 100%; min-width: 34rem; height: auto; border-radius: 6px; }
        pre { background: var(--shade); padding: .8rem; white-space: pre-wrap; border-radius: 6px; }
        code { background: var(--shade); font-size: .85em; } small, p { color: var(--faint); } li { margin: .4rem 0; }
        @media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
        """
}
