import Foundation
import RecurrentCore

/// A report of results, written as Markdown, CSV, SVG and one HTML page.
public struct Report: Sendable {
    /// The title of the report.
    public let title: String
    /// The command that made the report, with the name of the program.
    public let command: [String]
    /// The machine on which the report was made.
    public let machine: Machine
    /// The names and values of other settings to show at the top, such as the seeds.
    public let settings: [(String, String)]
    /// The sections in the order of the report.
    public let sections: [Section]
    /// The number of runs that the sections need but that aren't finished.
    public let missing: Int

    /// Creates a report; ``write(into:)`` writes it.
    public init(
        title: String, command: [String], machine: Machine, settings: [(String, String)], sections: [Section],
        missing: Int
    ) {
        self.title = title
        self.command = command
        self.machine = machine
        self.settings = settings
        self.sections = sections
        self.missing = missing
    }

    /// Writes `report.md`, `report.html`, a CSV file for each table, an SVG file for each plot, and `runs.csv` into a
    /// folder.
    ///
    /// `runs.csv` has a row for each run, with its numbers at full precision.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if a file can't be written, or gnuplot isn't installed or fails.
    public func write(into folder: String) throws {
        var drawings: [String: String] = [:]
        for section in sections {
            for table in section.tables { try AtomicFile.write(Self.csv(table), to: "\(folder)/\(table.name).csv") }
            for plot in section.plots {
                let svg = try Gnuplot.svg(plot.figure)
                drawings[plot.name] = svg
                try AtomicFile.write(svg, to: "\(folder)/\(plot.name).svg")
            }
        }
        if sections.contains(where: { !$0.records.isEmpty }) {
            try AtomicFile.write(Self.csv(runs), to: "\(folder)/runs.csv")
        }
        try AtomicFile.write(MarkdownReport(report: self).text, to: folder + "/report.md")
        try AtomicFile.write(HTMLReport(report: self, drawings: drawings).text, to: folder + "/report.html")
    }

    /// The names and values at the top of the report: what was run, where, and when.
    var facts: [(String, String)] {
        var facts = [("Command", Self.shell(command))] + settings
        if sections.contains(where: { !$0.records.isEmpty }) {
            facts.append(
                ("Runs", "a row each in runs.csv, their files in the folder runs or packed in \(RunArchive.name)"))
        }
        facts += [("Machine of the report", machine.description), ("Date", Machine.today)]
        if missing > 0 {
            let runs = missing == 1 ? "1 run isn't finished" : "\(missing) runs aren't finished"
            facts.append(("Incomplete", "\(runs); the same command (without --report-only) continues"))
        }
        return facts
    }

    /// The table `runs.csv`, for programs: the single runs behind the means in the other tables.
    private var runs: Section.Table {
        var seen: Set<String> = []
        func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
        let rows = sections.flatMap(\.records).filter { seen.insert($0.place).inserted }.map { record in
            [
                record.place, record.experiment.id, "\(record.seed)", record.hasDiverged ? "diverged" : "finished",
                "\(record.valid.count)", text(record.bestValid?.loss), text(record.bestValid?.metric),
                text(record.test?.loss),
                text(record.test?.metric), text(record.norms.first?.mean), text(record.norms.last?.mean),
                text(record.completion.seconds),
                record.completion.machine, record.completion.date, Self.shell(["cli"] + record.completion.command),
            ]
        }
        return Section.Table(
            name: "runs",
            header: [
                "folder", "experiment", "seed", "end", "epochs", "valid loss", "valid metric", "test loss",
                "test metric",
                "first norm", "last norm", "seconds", "machine", "date", "command",
            ], rows: rows)
    }

    /// Returns a table as CSV, according to RFC 4180.
    static func csv(_ table: Section.Table) -> String {
        func field(_ text: String) -> String {
            text.contains { ",\"\n\r".contains($0) } ? "\"\(text.replacingOccurrences(of: "\"", with: "\"\""))\"" : text
        }
        return ([table.header] + table.rows).map { $0.map(field).joined(separator: ",") + "\r\n" }.joined()
    }

    /// Returns the arguments as a command line, quoted for a shell where necessary.
    ///
    /// The name of an environment variable, such as `$PTB_DIR`, is in double quotation marks, so that the shell expands
    /// it, even to a path with spaces.
    public static func shell(_ arguments: [String]) -> String {
        arguments.map { $0.wholeMatch(of: /\$[A-Z][A-Z0-9_]*/) != nil ? "\"\($0)\"" : $0.shellWord }
            .joined(separator: " ")
    }

    /// Returns a path relative to a folder; unchanged if it isn't in the folder.
    static func relative(_ path: String, to folder: String) -> String {
        path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.count + 1)) : path
    }
}

extension Section {
    /// The records without duplicates, in their order.
    var uniqueRecords: [RunRecord] {
        var seen: Set<String> = []
        return records.filter { seen.insert($0.place).inserted }
    }
}
