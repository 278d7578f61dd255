import Foundation
import RecurrentCore
import RecurrentRuns

/// The training of several runs, some of which other processes may train at the same time.
struct Sweep {
    private let runner: Runner
    private let outlivesFailures: Bool
    private let isRound: Bool
    private let total: Int
    /// The runs that aren't complete, in the order in which they are started.
    private var waiting: [RunTask]
    private var active: [ActiveRun] = []
    private var done: Int
    private var failure: (any Error)?
    /// The runs that other processes have, with these processes.
    private var held: [(run: String, holder: String)] = []
    private var hasToldWaiting = false
    private var nextLook = ContinuousClock.now, nextRenewal = ContinuousClock.now, nextProgress = ContinuousClock.now

    /// How often a run is tried that loses its host each time before it makes any progress.
    private static let attempts = 3

    init(_ runner: Runner, _ tasks: [RunTask], outlivesFailures: Bool, isRound: Bool) throws {
        (self.runner, self.outlivesFailures, self.isRound) = (runner, outlivesFailures, isRound)
        total = tasks.count
        waiting = try tasks.filter { try runner.record($0, isRound: isRound)?.isComplete != true }
        done = tasks.count - waiting.count
        if done > 0 { runner.report("\(done) of \(total) runs were finished before") }
    }

    /// Trains the runs.
    ///
    /// - Returns: false if it was stopped before all runs were complete.
    mutating func run() throws -> Bool {
        defer {
            for run in active {
                run.stop()
                _ = run.process.wait()
                run.release()
            }
        }
        var isStopping = false
        while !waiting.isEmpty || !active.isEmpty {
            let isInterrupted = runner.shouldStop(), stops = failure != nil || isInterrupted
            // Ctrl-C in a terminal also reaches the runs, which a SIGTERM doesn't keep from being saved; a signal to this
            // program alone doesn't.
            if isInterrupted, !isStopping {
                isStopping = true
                for run in active { run.stop() }
            }
            if !stops { try startRuns() }
            if active.isEmpty, stops || waiting.isEmpty { break }
            showProgress()
            Thread.sleep(forTimeInterval: 0.02)
            renewClaims()
            for index in active.indices.reversed() {
                guard let ending = active[index].poll(isStopping: isStopping) else { continue }
                try finish(active.remove(at: index), ending)
            }
        }
        runner.showProgress?("")
        if let failure { throw failure }
        return done == total
    }

    /// Starts as many of the waiting runs as may be active, leaving out those that other processes have.
    private mutating func startRuns() throws {
        let now = ContinuousClock.now
        guard active.count < runner.jobs, now >= nextLook else { return }
        held = []
        var index = 0
        while active.count < runner.jobs, index < waiting.count {
            let task = waiting[index]
            guard task.earliest <= now else {
                index += 1
                continue
            }
            switch try runner.begin(task, outlivesFailures: outlivesFailures, isRound: isRound) {
            case .started(let run):
                waiting.remove(at: index)
                active.append(run)
            case .finished:
                waiting.remove(at: index)
                tell(task, "trained by another process")
            case .failed(let reason):
                waiting.remove(at: index)
                done += 1
                runner.report("\(task.name): another process says \(reason)")
            case .held(let holder):
                held.append((task.name, holder))
                index += 1
            }
        }
        if active.count < runner.jobs { nextLook = now + .seconds(runner.patience.look) }
        if active.isEmpty, !held.isEmpty, !hasToldWaiting {
            hasToldWaiting = true
            let runs = held.prefix(3).map { "\($0.run) (\($0.holder))" } + (held.count > 3 ? ["…"] : [])
            runner.report(
                "waiting for \(held.count) run\(held.count == 1 ? "" : "s") of other processes: \(runs.joined(separator: ", "))"
            )
        }
    }

    private mutating func showProgress() {
        let now = ContinuousClock.now
        guard let show = runner.showProgress, now >= nextProgress else { return }
        nextProgress = now + .seconds(1)
        let states = active.map {
            RunProgress(experiment: $0.task.experiment, seed: $0.task.seed, folder: $0.task.folder).text
        }
        let others = active.isEmpty && !held.isEmpty ? ["waiting for \(held.count) of other processes"] : []
        show("[\(done)/\(total)] " + (states + others).joined(separator: ", "))
    }

    private mutating func renewClaims() {
        let now = ContinuousClock.now
        guard now >= nextRenewal else { return }
        nextRenewal = now + .seconds(runner.patience.renewal)
        for run in active { run.renew() }
    }

    private mutating func tell(_ task: RunTask, _ how: String) {
        done += 1
        runner.report("[\(done)/\(total)] \(task.name), \(how)")
    }

    /// Records how a run ended, unless it is tried again.
    private mutating func finish(_ run: ActiveRun, _ ending: ChildProcess.Ending) throws {
        defer { run.release() }
        do {
            switch try run.outcome(ending, isStopping: runner.shouldStop()) {
            case .finished:
                try runner.record(run)
                tell(run.task, "\(Int(-run.start.timeIntervalSinceNow.rounded())) s")
            case .interrupted: break
            case .takenOver:
                waiting.append(run.task)
                runner.report("\(run.task.name): another process has taken it over")
            case .failed(let reason): try fail(run, reason)
            case .lost(let reason):
                var task = run.task
                task.losses = run.hasMadeProgress ? 1 : task.losses + 1
                guard task.losses < Self.attempts else { return try fail(run, "\(reason), \(task.losses) times") }
                task.earliest = .now + .seconds(runner.patience.retry * Double(task.losses))
                waiting.append(task)
                runner.report("\(task.name) was cut off (\(reason)); it will be tried again")
            }
        } catch {
            if failure == nil, !active.isEmpty {
                runner.report(
                    "\(run.task.name) failed; no other run is started, \(active.count) running will finish")
            }
            failure = failure ?? error
        }
    }

    private mutating func fail(_ run: ActiveRun, _ message: String) throws {
        let reason = "the run failed (\(message))"
        guard outlivesFailures else { throw RecurrentError.file(path: run.task.folder, reason: reason) }
        done += 1
        runner.report("\(run.task.name): \(reason); the others go on")
        try runner.record(run, failure: reason)
    }
}
