import Foundation
import RecurrentCore
import RecurrentRuns
import Synchronization

/// Text output for people.
enum Terminal {
    /// Whether standard output is a terminal.
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// The number of columns of the terminal; 80 if unknown.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private static let failed = Atomic<Bool>(false)

    /// Prints to standard output. A failure doesn't end a training run; ``checkOutput()`` reports it at the end.
    static func print(_ text: String, terminator: String = "\n") {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data((text + terminator).utf8))
        } catch {
            failed.store(true, ordering: .relaxed)
        }
    }

    /// Checks that everything has been printed.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if something couldn't be printed.
    static func checkOutput() throws {
        if failed.exchange(false, ordering: .relaxed) {
            throw RecurrentError.file(path: "standard output", reason: "can't be written; is the disk full?")
        }
    }

    /// Returns a term and its description, wrapped to the width of the terminal.
    ///
    /// - Parameters:
    ///   - term: the beginning of the first line.
    ///   - text: the description, which is broken at blanks.
    ///   - indent: the columns at which the description's further lines begin, and the first one if the term is shorter.
    static func wrapped(_ term: String, _ text: String, indent: Int) -> String {
        let margin = String(repeating: " ", count: indent), width = max(width, indent + 20)
        var lines = [term.count < indent ? term + margin.dropFirst(term.count) : term + "  "]
        var isFirst = true
        for word in text.split(separator: " ") {
            if !isFirst, lines[lines.count - 1].count + 1 + word.count > width {
                lines.append(margin + word)
            } else {
                lines[lines.count - 1] += (isFirst ? "" : " ") + word
            }
            isFirst = false
        }
        return lines.joined(separator: "\n")
    }

    /// Returns a table with a line under the header, and all columns but the first aligned to the right.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max()! }
        func line(_ cells: [String]) -> String {
            cells.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + padding : padding + cell
            }.joined(separator: "  ").replacingOccurrences(of: "\\s+$", with: "", options: .regularExpression)
        }
        return
            ([line(header), widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")] + rows.map(line))
            .joined(separator: "\n")
    }
}

extension DatasetDescription.Metric {
    /// Returns the value of the metric as text.
    func text(_ sums: LossSums) -> String {
        switch self {
        case .accuracy: Format.percent(sums.accuracy)
        case .perplexity: Format.fixed(sums.perplexity, digits: 2)
        case .bitsPerCharacter: Format.fixed(value(of: sums))
        case .squaredError, .loss: Format.fixed(sums.meanLoss, digits: 6)
        }
    }
}
