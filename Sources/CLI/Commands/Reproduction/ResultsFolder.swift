import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns

/// The folder of a report and its runs, held by one process at a time.
struct ResultsFolder {
    let path: String
    private let lock: FolderLock

    /// What can be checked before anything is written.
    ///
    /// - Parameter hasPlots: whether gnuplot will be needed.
    /// - Returns: the path, absolute.
    /// - Throws: ``RecurrentCore/RecurrentError`` for a number of jobs out of range, an
    ///   output without a name, or plots that can't be drawn.
    static func check(output: String, jobs: Int, hasPlots: Bool = true) throws -> String {
        guard jobs >= 1, jobs <= 256 else { throw RecurrentError.invalidOption("--jobs must be in 1...256, not \(jobs)") }
        guard !output.isEmpty else { throw RecurrentError.invalidOption("--output names no folder") }
        if hasPlots { try Gnuplot.check() }
        return URL(fileURLWithPath: output).standardizedFileURL.path
    }

    /// Makes the folder where it is missing.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if it can't be made, or
    ///   another process has it.
    init(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw RecurrentError.file(path: path, reason: "the folder can't be made; choose an --output that can be written")
        }
        self.path = path
        lock = try FolderLock(path)
    }

    /// Trains experiments with this program and shows how far it is.
    func runner(
        _ subfolder: String, seeds: [UInt64], jobs: Int, machine: Machine = Machine(), corpus: Corpus? = nil,
        aliases: [String: String] = [:], addsEpochs: Bool = false, quiet: Bool
    ) -> Runner {
        let isLive = !quiet && Terminal.isInteractive
        // A line that wraps could not be redrawn.
        let showProgress: @Sendable (String) -> Void = { Terminal.print("\r\u{1B}[K" + $0.prefix(Terminal.width - 1), terminator: "") }
        return Runner(
            executable: Self.executable, output: path, subfolder: subfolder, seeds: seeds, jobs: jobs, machine: machine, registry: .current,
            corpus: corpus, aliases: aliases, addsEpochs: addsEpochs, report: { if !quiet { Terminal.print((isLive ? "\r\u{1B}[K" : "") + $0) } },
            showProgress: isLive ? showProgress : nil, shouldStop: { Interruption.isRequested })
    }

    /// This program's file, which the runs are processes of.
    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}
