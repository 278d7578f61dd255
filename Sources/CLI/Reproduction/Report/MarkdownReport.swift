import Foundation

/// A report as Markdown, with its plots in separate files.
struct MarkdownReport {
    let report: Report

    var text: String {
        var lines = ["# \(report.title)", ""]
        lines += report.facts.map { "- \($0): \(code($0, $1))" } + [""]
        for section in report.sections {
            lines += ["## \(section.title)", ""]
            for note in section.notes { lines += [note, ""] }
            for table in section.tables { lines += self.table(table) + [""] }
            for plot in section.plots { lines += ["![\(escaped(plot.figure.title))](\(plot.name).svg)", ""] }
            for (title, text) in section.texts { lines += ["\(title):", "", "```", text, "```", ""] }
            let records = section.uniqueRecords
            if !records.isEmpty {
                lines += ["<details><summary>\(records.count == 1 ? "1 run" : "\(records.count) runs")</summary>", ""]
                for record in records {
                    lines.append(
                        "- \(record.experiment.id), seed \(record.seed): `cli \(Report.shell(record.completion.command))`, "
                            + "\(Int(record.completion.seconds.rounded())) s on \(record.completion.machine), \(record.completion.date)"
                            + (record.ending.map { "; \($0)" } ?? ""))
                }
                lines += ["", "</details>", ""]
            }
        }
        return lines.joined(separator: "\n")
    }

    private func code(_ name: String, _ value: String) -> String { name == "Command" ? "`\(value)`" : value }

    private func table(_ table: Section.Table) -> [String] {
        func line(_ cells: [String]) -> String { "| " + cells.map(escaped).joined(separator: " | ") + " |" }
        return [line(table.header), "|" + table.header.map { _ in " --- |" }.joined()] + table.rows.map(line)
    }

    private func escaped(_ text: String) -> String { text.replacingOccurrences(of: "|", with: "\\|") }
}
