import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentRuns
import Synchronization

/// Text output for people.
enum Terminal {
    /// Whether standard output is a terminal on which a line can be redrawn, and may be.
    ///
    /// Terminals without escape codes call themselves dumb; NO_COLOR asks for plain text (https://no-color.org).
    static var isInteractive: Bool {
        let environment = ProcessInfo.processInfo.environment
        return isatty(STDOUT_FILENO) == 1 && !isPlain.load(ordering: .relaxed)
            && ![nil, "", "dumb"].contains(environment["TERM"])
            && environment["NO_COLOR"] ?? "" == ""
    }

    /// The number of columns of the terminal; 80 if unknown.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// The number of columns of the live line that is on the screen; 0 if there is none.
    private static let live = Mutex(0)

    /// Whether output isn't redrawn, although it seems to be a terminal.
    static let isPlain = Atomic<Bool>(false)

    /// Whether the process that has started this one writes to a terminal itself. Launchers such as `mpirun` may give their
    /// ranks terminals of their own, and write what they read from them into a file.
    static var isOutputOfParent: Bool {
        let output = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(getppid())/fd/1")
        return output?.hasPrefix("/dev/pts/") == true || output?.hasPrefix("/dev/tty") == true
    }

    /// Whether nothing is printed, because another process of the group prints the same.
    static let isSilent = Atomic<Bool>(false)

    /// Prints to standard output, in place of the live line. A failure doesn't end a training run.
    static func print(_ text: String, terminator: String = "\n") {
        guard !isSilent.load(ordering: .relaxed) else { return }
        clearLiveLine()
        StandardStream.output.write(text + terminator)
    }

    /// Prints a line to standard error, in place of the live line.
    static func complain(_ line: String) {
        guard !isSilent.load(ordering: .relaxed) else { return }
        clearLiveLine()
        StandardStream.error.write(line + "\n")
    }

    /// Prints how to continue, on standard error if nobody reads standard output any more.
    static func advise(_ line: String) {
        if StandardStream.outputHasLostReader { complain(line) } else { Self.print(line) }
    }

    /// Draws a line in place of the last one that was drawn.
    ///
    /// - Parameter compose: returns the line for a number of columns; what is longer is cut off.
    static func drawLiveLine(_ compose: (_ columns: Int) -> String) {
        let width = width
        let line = LiveLine.cut(compose(LiveLine.columns(width)), to: LiveLine.columns(width))
        live.withLock {
            StandardStream.output.write(LiveLine.erasing($0, width: width) + line)
            $0 = LiveLine.columns(of: line)
        }
    }

    /// Removes the live line, if there is one.
    static func clearLiveLine() {
        live.withLock {
            if $0 > 0 { StandardStream.output.write(LiveLine.erasing($0, width: width)) }
            $0 = 0
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

    /// Ends a command that has nothing more to do if nobody reads its output.
    ///
    /// - Throws: the exit status of a program that SIGPIPE ended.
    static func checkReader() throws {
        if StandardStream.outputHasLostReader { throw ExitCode(128 + SIGPIPE) }
    }

    /// Returns a table with a line under the header, and all columns but the first aligned to the right; on a terminal
    /// that is too narrow for it, a list of the cells of each row.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        let table = wideTable(header, rows)
        guard isatty(STDOUT_FILENO) == 1, let length = table.split(separator: "\n").map(\.count).max(), length > width
        else { return table }
        // A line that wraps can't be read as a row: each row becomes a list.
        let longest = header.map(\.count).max() ?? 0
        return rows.map { row in
            zip(header, row).map { $0.padding(toLength: longest, withPad: " ", startingAt: 0) + "  " + $1 }
                .joined(separator: "\n")
        }.joined(separator: "\n\n")
    }

    private static func wideTable(_ header: [String], _ rows: [[String]]) -> String {
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
        case .perplexity: Format.number(sums.perplexity)
        case .bitsPerCharacter: Format.fixed(value(of: sums))
        case .squaredError, .loss: Format.fixed(sums.meanLoss, digits: 6)
        }
    }
}
