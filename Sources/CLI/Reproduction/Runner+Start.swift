import Foundation
import RecurrentCore
import RecurrentRuns

extension Runner {
    /// The result of trying to start a run.
    enum Beginning {
        case started(ActiveRun)
        /// Nothing is left to do: another process has finished it.
        case finished
        /// Another process has tried it in vain.
        case failed(String)
        /// Another process has it, which is named for readers.
        case held(by: String)
    }

    /// Starts a run, unless another process has it or has finished it.
    func begin(_ task: RunTask, outlivesFailures: Bool, isRound: Bool) throws -> Beginning {
        if try record(task, isRound: isRound)?.isComplete == true { return .finished }
        let claim: RunClaim
        switch try RunClaim.take(task.folder, limit: patience.staleness) {
        case .held(let holder): return .held(by: holder)
        case .taken(let taken): claim = taken
        }
        do {
            let beginning = try begin(task, claim, outlivesFailures: outlivesFailures)
            if case .started = beginning {} else { claim.release() }
            return beginning
        } catch {
            claim.release()
            throw error
        }
    }

    private func begin(_ task: RunTask, _ claim: RunClaim, outlivesFailures: Bool) throws -> Beginning {
        // It may have ended between the first look and the claim.
        if try record(task)?.isComplete == true { return .finished }
        if outlivesFailures, let failure = try failure(task), try RunFailure.age(in: task.folder) < age {
            return .failed(failure.reason)
        }
        // The process that started it may have been killed, and the run itself not.
        if (try? FolderLock(task.folder)) == nil { return .held(by: "a process whose parent has ended") }
        return .started(try start(task, claim))
    }

    /// The seconds since this runner was created.
    private var age: Double { (ContinuousClock.now - created) / .seconds(1) }

    private func start(_ task: RunTask, _ claim: RunClaim) throws -> ActiveRun {
        let manager = FileManager.default
        var wanted = try configuration(task)
        var arguments = ["--output", task.folder, "--overwrite"]
        if manager.fileExists(atPath: task.folder + "/state.safetensors") {
            let folder = RunFolder(opening: task.folder)
            try check(task, folder.resolvedConfiguration(registry))
            // A run that was interrupted while epochs were added to it keeps those that it has.
            wanted.training.epochs = max(wanted.training.epochs, folder.trainedEpochs)
            arguments = ["--resume", task.folder]
        }
        // A record of fewer epochs would no longer describe the files in the folder.
        try? manager.removeItem(atPath: task.folder + "/" + RunRecord.completionFile)
        RunFailure.remove(from: task.folder)
        // A launcher may end without having started the run.
        if launcher != nil { RunEnd.remove(from: RunFolder(opening: task.folder)) }
        return try ActiveRun(task, wanted, claim, hasLauncher: launcher != nil) { file in
            let words = (launcher?.words ?? []) + [executable, "train", "--config", file] + arguments + ["--quiet"]
            return try ChildProcess(
                words[0], Array(words.dropFirst()), environment: environment, leadsGroup: launcher != nil)
        }
    }

    /// The environment of the runs, which aren't ranks of the group to which this process belongs.
    private var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter { name, _ in
            !registry.communicators.contains { $0.isOfLauncher(name) }
        }
        // Otherwise srun answers the first SIGINT with a list of its tasks, and doesn't pass it on.
        if launcher != nil { environment["SLURM_DISABLE_STATUS"] = "1" }
        return environment
    }

    /// Returns the command to record, with folders relative to the report, so that the report can be moved and shared.
    private func command(_ task: RunTask, _ configuration: RunConfiguration) throws -> [String] {
        let words = ["train"] + (try registry.arguments(configuration)) + ["--output", task.folder]
        return words.map { aliases[$0] ?? Report.relative($0, to: output) }
    }

    /// The machine that is named in the records of runs.
    private var place: String { launcher.map { "by \($0) from \(machine)" } ?? machine.description }

    /// Records a run that is complete.
    func record(_ run: ActiveRun) throws {
        let end = try RunEnd(in: run.task.folder)
        // A resumed run was also trained before this process started.
        let seconds = max(-run.start.timeIntervalSinceNow, try RunRecord.trainSeconds(run.task.folder))
        var shown = run.configuration
        // The run may already have had more epochs when it was resumed.
        shown.training.epochs = max(shown.training.epochs, end?.epochs ?? 0)
        let completion = RunRecord.Completion(
            command: try command(run.task, shown), seconds: seconds, machine: place, date: Machine.today,
            corpus: run.configuration.dataset["data"] ?? .null == .null ? nil : corpus?.recorded, end: end)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(
            Array(try encoder.encode(completion)) + [10], to: run.task.folder + "/" + RunRecord.completionFile)
    }

    /// Records why a run failed.
    func record(_ run: ActiveRun, failure reason: String) throws {
        try RunFailure(reason: reason, configuration: run.configuration, machine: place, date: Machine.today)
            .write(to: run.task.folder)
    }
}
