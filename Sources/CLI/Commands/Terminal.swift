import Foundation
import RecurrentCore
import RecurrentRuns
import Synchronization

/// Text for people: numbers, times and tables.
enum Terminal {
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Columns of the terminal, 80 if unknown.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private static let failed = Atomic<Bool>(false)

    /// Prints to standard output. A failure ends no training run; it is told by
    /// ``checkOutput()`` in the end.
    static func print(_ text: String, terminator: String = "\n") {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data((text + terminator).utf8))
        } catch {
            failed.store(true, ordering: .relaxed)
        }
    }

    /// - Throws: ``RecurrentError/file(path:reason:)`` if something could not be printed.
    static func checkOutput() throws {
        if failed.exchange(false, ordering: .relaxed) {
            throw RecurrentError.file(path: "standard output", reason: "can't be written; is the disk full?")
        }
    }

    /// Columns aligned, the first to the left; a line under the header.
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
    func text(_ sums: LossSums) -> String {
        switch self {
        case .accuracy: Format.percent(sums.accuracy)
        case .perplexity: Format.fixed(sums.perplexity, digits: 2)
        case .bitsPerCharacter: Format.fixed(value(of: sums))
        case .squaredError, .loss: Format.fixed(sums.meanLoss, digits: 6)
        }
    }
}
