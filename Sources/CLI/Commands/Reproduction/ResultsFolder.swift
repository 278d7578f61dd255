import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns

/// The folder of a report and its runs, which several processes may share: each run is trained by one of them.
struct ResultsFolder {
    let path: String
    /// The folder that contains `runs`: the folder itself, or the one into which its archive has been unpacked.
    let source: String

    static let jobsHelp: ArgumentHelp =
        "The number of runs to train in parallel; they share the processors. With --launcher: the number that run or wait to be started at the same time."
    static let launcherHelp = ArgumentHelp(
        "Start each run by this command, such as 'srun -n1 -c2 --exclusive', which gives it its processors, and waits for its end.",
        valueName: "command")

    /// Checks what can be checked before anything is written.
    ///
    /// - Parameters:
    ///   - output: the path of the folder.
    ///   - jobs: the number of runs to train in parallel.
    ///   - hasPlots: whether gnuplot will be needed.
    /// - Returns: the absolute path of the folder.
    /// - Throws: ``RecurrentCore/RecurrentError`` for a number of jobs out of range, an empty path, or if gnuplot is needed
    ///   and isn't installed.
    static func check(output: String, jobs: Int, hasPlots: Bool = true) throws -> String {
        guard jobs >= 1, jobs <= 256 else {
            throw RecurrentError.invalidOption("--jobs must be in 1...256, not \(jobs)")
        }
        guard !output.isEmpty else { throw RecurrentError.invalidOption("--output names no folder") }
        if hasPlots { try Gnuplot.check() }
        return URL(fileURLWithPath: output).standardizedFileURL.path
    }

    /// Checks that a folder has runs to report on.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if it has none.
    static func checkHasRuns(_ path: String, as output: String) throws {
        guard FileManager.default.fileExists(atPath: path + "/runs") || RunArchive(of: path) != nil else {
            throw RecurrentError.file(
                path: output,
                reason:
                    "has no runs to report (no folder runs, no \(RunArchive.name)); leave out --report-only to make them"
            )
        }
    }

    /// Creates the folder if necessary, and passes it to a function.
    ///
    /// - Parameters:
    ///   - path: the path of the folder.
    ///   - readsOnly: whether runs are only read and none is trained; an archive is then unpacked into a temporary folder.
    ///   - body: the function that uses the folder.
    /// - Returns: the result of the function.
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if the folder can't be created, or its
    ///   archive is damaged; and what the function throws.
    static func use<Result>(_ path: String, readsOnly: Bool, _ body: (ResultsFolder) throws -> Result) throws -> Result
    {
        let source =
            readsOnly && RunArchive(of: path) != nil
            ? FileManager.default.temporaryDirectory.appendingPathComponent("urnn-\(UUID().uuidString)").path : path
        defer { if source != path { try? FileManager.default.removeItem(atPath: source) } }
        // Errors name the place in the results folder that a run would have if its archive were unpacked there.
        func shown(_ file: String) -> String {
            file.hasPrefix(source + "/") ? path + file.dropFirst(source.count) : file
        }
        do {
            return try body(ResultsFolder(path, source))
        } catch RecurrentError.file(let file, let reason) {
            throw RecurrentError.file(path: shown(file), reason: reason)
        } catch RecurrentError.checkpoint(let file, let reason) {
            throw RecurrentError.checkpoint(path: shown(file), reason: reason)
        }
    }

    private init(_ path: String, _ source: String) throws {
        do {
            try AtomicFile.createFolder(path)
        } catch {
            throw RecurrentError.file(
                path: path, reason: "the folder can't be created; choose an --output that can be written")
        }
        (self.path, self.source) = (path, source)
        try RunArchive(of: path)?.unpack(into: source)
    }

    /// Returns a runner that trains with this program and shows its progress.
    func runner(
        _ subfolder: String, seeds: [UInt64], jobs: Int, launcher: Launcher? = nil, machine: Machine = Machine(),
        corpus: Corpus? = nil,
        aliases: [String: String] = [:], addsEpochs: Bool = false, quiet: Bool
    ) -> Runner {
        let showProgress: @Sendable (String) -> Void = { line in Terminal.drawLiveLine { _ in line } }
        return Runner(
            executable: Self.executable, output: source, subfolder: subfolder, seeds: seeds, jobs: jobs,
            machine: machine, registry: .current, launcher: launcher,
            corpus: corpus, aliases: aliases, addsEpochs: addsEpochs,
            report: { if !quiet { Terminal.print($0) } },
            showProgress: !quiet && Terminal.isInteractive ? showProgress : nil,
            shouldStop: { Interruption.isRequested })
    }

    /// The path of this program, with which the runs are trained.
    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}
