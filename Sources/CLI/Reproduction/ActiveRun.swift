import Foundation
import RecurrentCore
import RecurrentRuns

/// A run that a child of this process trains.
final class ActiveRun {
    /// How a run's process ended.
    enum Outcome {
        /// The run is complete, or diverged.
        case finished
        /// It can be resumed later, since this program is to stop.
        case interrupted
        /// It failed by itself, for the reason given.
        case failed(String)
        /// Its host or its launcher failed, so that it may succeed elsewhere.
        case lost(String)
        /// Another process has taken it over.
        case takenOver
    }

    let task: RunTask
    let process: ChildProcess
    let claim: RunClaim
    let configuration: RunConfiguration
    let start = Date()
    /// The time of the state from which it was resumed.
    private let oldState: Double?
    private let hasLauncher: Bool
    /// Whether the claim is still this process's.
    private var isOwn = true
    private var errors = ""
    /// When the launcher ended, if not everything that it had started ended with it.
    private var launcherEnd: ContinuousClock.Instant?

    /// The file that passes the configuration to the process. It lies in the run's folder, which other hosts see as well.
    static func file(_ task: RunTask) -> String { task.folder + "/requested.json" }
    private static func stateTime(_ task: RunTask) -> Double? {
        ExclusiveFile.time(of: task.folder + "/state.safetensors")
    }

    init(
        _ task: RunTask, _ configuration: RunConfiguration, _ claim: RunClaim, hasLauncher: Bool,
        start: (_ file: String) throws -> ChildProcess
    ) throws {
        (self.task, self.claim, self.configuration, self.hasLauncher) = (task, claim, configuration, hasLauncher)
        oldState = Self.stateTime(task)
        let file = Self.file(task)
        try AtomicFile.write(configuration.json(pretty: true), to: file)
        do { process = try start(file) } catch {
            unlink(file)
            throw error
        }
    }

    /// Gives a sign of life; if another process has taken the run over, ends this one's.
    func renew() {
        guard isOwn, !claim.renew() else { return }
        isOwn = false
        stop()
    }

    /// Tells the run to end, which it does once it is saved.
    ///
    /// Slurm's srun passes on a SIGINT, but kills what it has started at a SIGTERM; for a run, both are the same.
    func stop() { process.send(hasLauncher ? SIGINT : SIGTERM) }

    /// Reads what the process has written, which would have to wait for a reader otherwise, and returns how it ended; nil
    /// while it runs.
    ///
    /// - Parameter isStopping: whether it was told to end. A launcher may then end before the run, which is being saved.
    func poll(isStopping: Bool) -> ChildProcess.Ending? {
        let ending = process.ending
        if ending != nil, isStopping, process.groupIsAlive {
            launcherEnd = launcherEnd ?? .now
            if ContinuousClock.now - launcherEnd! < .seconds(10) { return nil }
        }
        // Launchers may say much; what counts is at the end.
        errors = String((errors + process.readErrors()).suffix(4096))
        return ending
    }

    /// Ends the claim, after everything has been recorded.
    func release() {
        guard isOwn else { return }
        unlink(Self.file(task))
        claim.release()
    }

    /// Whether the run has been saved since it was started.
    var hasMadeProgress: Bool { Self.stateTime(task) != oldState }

    /// Returns how the run ended.
    func outcome(_ ending: ChildProcess.Ending, isStopping: Bool) throws -> Outcome {
        renew()
        guard isOwn else { return .takenOver }
        // Reading the folder anew makes this host see files that another has written.
        _ = try? FileManager.default.contentsOfDirectory(atPath: task.folder)
        let end = try RunEnd(in: task.folder)
        // Divergence is a result, not a failure.
        if ending == .exit(1), end?.reason == .diverged { return .finished }
        // A launcher may succeed without the run: Slurm's srun does when a node dies.
        if ending == .exit(0), !hasLauncher || end != nil { return .finished }
        if isStopping, hasLauncher { return .interrupted }
        switch ending {
        case .signal(let number):
            return isStopping ? .interrupted : .lost("it was ended by signal \(number)")
        case .exit(130) where !hasLauncher: return .interrupted
        case .exit(let status):
            let lines = errors.split(separator: "\n")
            // A run's own errors have this form, with which no launcher begins its lines.
            if let own = lines.last(where: { $0.hasPrefix("error: ") }) {
                // A process whose parent was killed had started it, and has begun it just now.
                if own.hasSuffix(FolderLock.isHeld) { return .takenOver }
                return .failed(String(own.dropFirst("error: ".count)))
            }
            guard hasLauncher else { return .failed(lines.last.map(String.init) ?? "exit(\(status))") }
            let last = lines.last.map { ": \($0)" } ?? ""
            return .lost(
                status == 0
                    ? "its launcher, which must wait for it, ended before it\(last)"
                    : "its launcher ended with status \(status)\(last)")
        }
    }
}
