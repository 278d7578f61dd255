import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns

/// The folder of a report and its runs, held by one process at a time.
struct ResultsFolder {
    let path: String
    /// The folder that `runs` is in: this one, or where its archive has been unpacked.
    let source: String
    private let lock: FolderLock

    /// What can be checked before anything is written.
    ///
    /// - Parameter hasPlots: whether gnuplot will be needed.
    /// - Returns: the path, absolute.
    /// - Throws: ``RecurrentCore/RecurrentError`` for a number of jobs out of range, an
    ///   output without a name, or plots that can't be drawn.
    static func check(output: String, jobs: Int, hasPlots: Bool = true) throws -> String {
        guard jobs >= 1, jobs <= 256 else {
            throw RecurrentError.invalidOption("--jobs must be in 1...256, not \(jobs)")
        }
        guard !output.isEmpty else { throw RecurrentError.invalidOption("--output names no folder") }
        if hasPlots { try Gnuplot.check() }
        return URL(fileURLWithPath: output).standardizedFileURL.path
    }

    /// Refuses a folder without runs, of which no report can be made.
    static func checkHasRuns(_ path: String, as output: String) throws {
        guard FileManager.default.fileExists(atPath: path + "/runs") || RunArchive(of: path) != nil else {
            throw RecurrentError.file(
                path: output,
                reason:
                    "has no runs to report (no folder runs, no \(RunArchive.name)); leave --report-only out to make them"
            )
        }
    }

    /// Makes the folder where it is missing, and gives it to a function.
    ///
    /// - Parameters:
    ///   - path: the folder.
    ///   - readsOnly: whether its runs are read and none is trained; an archive is then
    ///     unpacked elsewhere, and only for the function.
    ///   - body: what is done with it.
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if it can't be made,
    ///   another process has it, or its archive is damaged; and what the function throws.
    static func use<Result>(_ path: String, readsOnly: Bool, _ body: (ResultsFolder) throws -> Result) throws -> Result
    {
        let source =
            readsOnly && RunArchive(of: path) != nil
            ? FileManager.default.temporaryDirectory.appendingPathComponent("urnn-\(UUID().uuidString)").path : path
        defer { if source != path { try? FileManager.default.removeItem(atPath: source) } }
        // For readers, a run lies where it will when the archive is unpacked.
        func shown(_ file: String) -> String {
            file.hasPrefix(source + "/") ? path + file.dropFirst(source.count) : file
        }
        do {
            let folder = try ResultsFolder(path, source)
            return try withExtendedLifetime(folder) { try body(folder) }
        } catch RecurrentError.file(let file, let reason) {
            throw RecurrentError.file(path: shown(file), reason: reason)
        } catch RecurrentError.checkpoint(let file, let reason) {
            throw RecurrentError.checkpoint(path: shown(file), reason: reason)
        }
    }

    private init(_ path: String, _ source: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw RecurrentError.file(
                path: path, reason: "the folder can't be made; choose an --output that can be written")
        }
        (self.path, self.source) = (path, source)
        lock = try FolderLock(path)
        try RunArchive(of: path)?.unpack(into: source)
    }

    /// Trains experiments with this program and shows how far it is.
    func runner(
        _ subfolder: String, seeds: [UInt64], jobs: Int, machine: Machine = Machine(), corpus: Corpus? = nil,
        aliases: [String: String] = [:], addsEpochs: Bool = false, quiet: Bool
    ) -> Runner {
        let isLive = !quiet && Terminal.isInteractive
        // A line that wraps could not be redrawn.
        let showProgress: @Sendable (String) -> Void = {
            Terminal.print("\r\u{1B}[K" + $0.prefix(Terminal.width - 1), terminator: "")
        }
        return Runner(
            executable: Self.executable, output: source, subfolder: subfolder, seeds: seeds, jobs: jobs,
            machine: machine, registry: .current,
            corpus: corpus, aliases: aliases, addsEpochs: addsEpochs,
            report: { if !quiet { Terminal.print((isLive ? "\r\u{1B}[K" : "") + $0) } },
            showProgress: isLive ? showProgress : nil, shouldStop: { Interruption.isRequested })
    }

    /// This program's file, which the runs are processes of.
    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}
