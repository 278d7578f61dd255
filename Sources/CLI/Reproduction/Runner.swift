import Foundation
import RecurrentCore
import RecurrentRuns

/// Trains experiments, each in a separate process and several in parallel.
///
/// Finished runs are kept, and interrupted ones are resumed.
public struct Runner: Sendable {
    /// The path of the program whose `train` command trains the runs.
    public let executable: String
    /// The folder that contains the runs; also the folder of the report, unless runs are only read.
    public let output: String
    /// The folder of the runs relative to `output`: `runs/short`.
    public let subfolder: String
    /// The seeds with which each experiment is run.
    public let seeds: [UInt64]
    /// The number of runs to train in parallel.
    public let jobs: Int
    /// The machine that is named in the records of the runs.
    public let machine: Machine
    /// The plug-ins that the configurations name.
    public let registry: Registry
    /// The corpus of the language models; nil if none is needed.
    public let corpus: Corpus?
    /// The names that stand for folders in recorded commands, such as `$PTB_DIR`.
    public let aliases: [String: String]
    /// Whether a run with fewer epochs than requested is resumed rather than rejected.
    public let addsEpochs: Bool
    /// Receives a line of text when a run ends.
    public let report: @Sendable (String) -> Void
    /// Receives a line about the active runs every second; nil to show no progress.
    public let showProgress: (@Sendable (String) -> Void)?
    /// Returns whether to stop, so that the active runs can be resumed later.
    public let shouldStop: @Sendable () -> Bool

    /// Creates a runner; each parameter is described at the property of its name.
    public init(
        executable: String, output: String, subfolder: String, seeds: [UInt64], jobs: Int, machine: Machine,
        registry: Registry,
        corpus: Corpus? = nil, aliases: [String: String] = [:], addsEpochs: Bool = false,
        report: @escaping @Sendable (String) -> Void,
        showProgress: (@Sendable (String) -> Void)? = nil, shouldStop: @escaping @Sendable () -> Bool
    ) {
        self.executable = executable
        self.output = output
        self.subfolder = subfolder
        self.seeds = seeds
        self.jobs = jobs
        self.machine = machine
        self.registry = registry
        self.corpus = corpus
        self.aliases = aliases
        self.addsEpochs = addsEpochs
        self.report = report
        self.showProgress = showProgress
        self.shouldStop = shouldStop
    }

    private struct Task {
        let experiment: Experiment
        let seed: UInt64
        let folder: String
        /// The folder relative to the report.
        let place: String
    }
    private struct Active {
        let task: Task
        let process: ChildProcess
        let configuration: RunConfiguration
        /// The temporary file that passes the configuration to the process.
        let file: String
        let start: Date
    }

    private func task(_ experiment: Experiment, _ seed: UInt64) -> Task {
        let place = "\(subfolder)/\(experiment.id)/seed\(seed)"
        return Task(experiment: experiment, seed: seed, folder: "\(output)/\(place)", place: place)
    }

    /// Trains all experiments with all seeds, except for the runs that are already complete.
    ///
    /// - Parameters:
    ///   - experiments: the experiments to train.
    ///   - outlivesFailures: whether the others go on if a run fails for a reason other than divergence, which is then
    ///     recorded in its folder, for ``failures(_:)``.
    /// - Returns: false if it was stopped before all runs were complete.
    /// - Throws: ``RecurrentError`` if a run failed, unless `outlivesFailures` is true.
    public func run(_ experiments: [Experiment], outlivesFailures: Bool = false) throws -> Bool {
        let tasks = experiments.flatMap { experiment in seeds.map { task(experiment, $0) } }
        var waiting = try tasks.filter { try record($0)?.isComplete != true }, active: [Active] = []
        if waiting.count < tasks.count {
            report("\(tasks.count - waiting.count) of \(tasks.count) runs were finished before")
        }
        waiting.reverse()
        var done = tasks.count - waiting.count
        var failure: (any Error)?
        var rounds = 0, isStopping = false
        defer {
            for run in active {
                run.process.send(SIGTERM)
                _ = run.process.wait()
                try? FileManager.default.removeItem(atPath: run.file)
            }
        }
        while !waiting.isEmpty || !active.isEmpty {
            let isInterrupted = shouldStop(), stops = failure != nil || isInterrupted
            // Ctrl-C in a terminal also reaches the runs, which a SIGTERM doesn't keep from being saved; a signal to this
            // program alone doesn't.
            if isInterrupted, !isStopping {
                isStopping = true
                for run in active { run.process.send(SIGTERM) }
            }
            while !stops, active.count < jobs, let task = waiting.popLast() { active.append(try start(task)) }
            if active.isEmpty { break }
            if let showProgress, rounds % 50 == 0 {
                let states = active.map {
                    RunProgress(experiment: $0.task.experiment, seed: $0.task.seed, folder: $0.task.folder).text
                }
                showProgress("[\(done)/\(tasks.count)] " + states.joined(separator: ", "))
            }
            rounds += 1
            Thread.sleep(forTimeInterval: 0.02)
            for index in active.indices.reversed() where active[index].process.ending != nil {
                let ended = active.remove(at: index)
                do {
                    if try finish(ended) {
                        done += 1
                        report(
                            "[\(done)/\(tasks.count)] \(ended.task.experiment.id) seed \(ended.task.seed), \(Int(-ended.start.timeIntervalSinceNow.rounded())) s"
                        )
                    }
                } catch RecurrentError.file(ended.task.folder, let reason) where outlivesFailures {
                    done += 1
                    report("\(ended.task.experiment.id) seed \(ended.task.seed): \(reason); the others go on")
                    try RunFailure(
                        reason: reason, configuration: ended.configuration, machine: machine.description,
                        date: Machine.today
                    ).write(to: ended.task.folder)
                } catch {
                    if failure == nil, !active.isEmpty {
                        report(
                            "\(ended.task.experiment.id) seed \(ended.task.seed) failed; no other run is started, \(active.count) running will finish"
                        )
                    }
                    failure = failure ?? error
                }
            }
        }
        showProgress?("")
        if let failure { throw failure }
        return done == tasks.count
    }

    /// Returns the finished runs of the experiments, by the experiments' names.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if a folder is damaged, or
    ///   holds another experiment.
    public func records(_ experiments: [Experiment]) throws -> [String: [RunRecord]] {
        var result: [String: [RunRecord]] = [:]
        for experiment in experiments {
            result[experiment.id] = try seeds.compactMap { try record(task(experiment, $0)) }
        }
        return result
    }

    /// Returns why runs of the experiments failed when they were tried last, by the experiments' names.
    ///
    /// - Throws: ``RecurrentError`` if a plug-in isn't registered.
    public func failures(_ experiments: [Experiment]) throws -> [String: [String]] {
        var result: [String: [String]] = [:]
        for task in experiments.flatMap({ experiment in seeds.map { task(experiment, $0) } }) {
            guard let failure = RunFailure.read(in: task.folder),
                let failed = try? registry.resolve(failure.configuration, locatesData: false),
                try failed.isSameRun(as: configuration(task), registry: registry)
            else { continue }
            result[task.experiment.id, default: []].append(failure.reason)
        }
        return result
    }

    /// Returns whether the folder of at least one run of the experiments exists, finished or not.
    public func hasBegun(_ experiments: [Experiment]) -> Bool {
        experiments.contains { experiment in
            seeds.contains {
                let folder = task(experiment, $0).folder
                return FileManager.default.fileExists(atPath: folder + "/config.json")
                    || RunFailure.read(in: folder) != nil
            }
        }
    }

    /// Returns the configuration of a task, with a value for every option.
    private func configuration(_ task: Task) throws -> RunConfiguration {
        var configuration = task.experiment.configuration
        configuration.seed = task.seed
        if let option = registry.threadsOption(of: configuration.backend.name),
            configuration.backend[option] ?? .null == .null
        {
            configuration.backend[option] = .integer(max(machine.processors / jobs, 1))
        }
        return try registry.resolve(configuration, locatesData: false)
    }

    /// Returns the record of a task's run, which may have fewer epochs than requested; nil if it isn't finished.
    private func record(_ task: Task) throws -> RunRecord? {
        guard FileManager.default.fileExists(atPath: task.folder + "/" + RunRecord.completionFile) else { return nil }
        let record = try RunRecord(
            task.experiment, seed: task.seed, folder: task.folder, place: task.place, registry: registry)
        try check(task, record.configuration)
        if let corpus, let recorded = record.completion.corpus, recorded != corpus.recorded {
            throw RecurrentError.checkpoint(
                path: task.folder,
                reason:
                    "was trained on \(Corpus(recorded: recorded)?.name ?? "another corpus"); choose another `output`, or remove the folder"
            )
        }
        return record
    }

    /// Checks that the configuration found in a folder is the task's, except for the number of epochs of runs that can
    /// be resumed for more.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if it is another run's.
    private func check(_ task: Task, _ found: RunConfiguration) throws {
        let free: Set = addsEpochs && task.experiment.canGrow ? ["epochs"] : []
        let wanted = try configuration(task)
        guard let change = found.differences(to: wanted, except: free, registry: registry).first else { return }
        let detail = " (`\(change.name)` \(change.old?.text ?? "not set") instead of \(change.new?.text ?? "none"))"
        throw RecurrentError.checkpoint(
            path: task.folder,
            reason: "was made with other options\(detail); choose another `output`, or remove the folder")
    }

    private func start(_ task: Task) throws -> Active {
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
        let file = manager.temporaryDirectory.appendingPathComponent("urnn-\(UUID().uuidString).json").path
        try AtomicFile.write(wanted.json(pretty: true), to: file)
        let process = try ChildProcess(executable, ["train", "--config", file] + arguments + ["--quiet"])
        return Active(task: task, process: process, configuration: wanted, file: file, start: Date())
    }

    /// Returns the command to record, with folders relative to the report, so that the report can be moved and shared.
    private func command(_ task: Task, _ configuration: RunConfiguration) throws -> [String] {
        let words = ["train"] + (try registry.arguments(configuration)) + ["--output", task.folder]
        return words.map { aliases[$0] ?? Report.relative($0, to: output) }
    }

    /// Records a run whose process has ended.
    ///
    /// - Returns: false if the run was interrupted; it can be resumed.
    private func finish(_ run: Active) throws -> Bool {
        let ending = run.process.wait()
        try? FileManager.default.removeItem(atPath: run.file)
        let message = run.process.readErrors().split(separator: "\n").last.map(String.init) ?? ""
        if case .signal = ending, shouldStop() { return false }
        if ending == .exit(130) { return false }
        let end = try RunEnd(in: run.task.folder)
        // Divergence is a result, not a failure.
        guard ending == .exit(0) || (ending == .exit(1) && end?.reason == .diverged) else {
            throw RecurrentError.file(
                path: run.task.folder,
                reason:
                    "the run failed (\(message.isEmpty ? "\(ending)" : message.replacingOccurrences(of: "error: ", with: "")))"
            )
        }
        // A resumed run was also trained before this process started.
        let seconds = max(-run.start.timeIntervalSinceNow, try RunRecord.trainSeconds(run.task.folder))
        var shown = run.configuration
        // The run may already have had more epochs when it was resumed.
        shown.training.epochs = max(shown.training.epochs, end?.epochs ?? 0)
        let completion = RunRecord.Completion(
            command: try command(run.task, shown), seconds: seconds, machine: machine.description, date: Machine.today,
            corpus: run.configuration.dataset["data"] ?? .null == .null ? nil : corpus?.recorded, end: end)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(
            Array(try encoder.encode(completion)) + [10], to: run.task.folder + "/" + RunRecord.completionFile)
        return true
    }
}
