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
    /// The number of runs to train in parallel; with a launcher, that of those that are started or wait to be started.
    public let jobs: Int
    /// The command behind which each run's is put; nil to start runs on this machine.
    public let launcher: Launcher?
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
    /// How long it waits for other processes.
    package var patience = Patience()
    /// When the runner was created; failures that other processes recorded later need no second attempt.
    let created = ContinuousClock.now

    /// Creates a runner; each parameter is described at the property of its name.
    public init(
        executable: String, output: String, subfolder: String, seeds: [UInt64], jobs: Int, machine: Machine,
        registry: Registry, launcher: Launcher? = nil,
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
        self.launcher = launcher
        self.corpus = corpus
        self.aliases = aliases
        self.addsEpochs = addsEpochs
        self.report = report
        self.showProgress = showProgress
        self.shouldStop = shouldStop
    }

    /// Seconds for which a runner waits, for what happens elsewhere.
    package struct Patience: Sendable {
        /// Between two signs of life of its claims.
        package var renewal = 10.0
        /// Without a sign of life of another process's claim, until the run is taken over.
        package var staleness = 120.0
        /// Between two looks at the runs that other processes have taken.
        package var look = 3.0
        /// Before a run that has lost its host is tried again.
        package var retry = 10.0
    }

    func task(_ experiment: Experiment, _ seed: UInt64) -> RunTask {
        let place = "\(subfolder)/\(experiment.id)/seed\(seed)"
        return RunTask(experiment: experiment, seed: seed, folder: "\(output)/\(place)", place: place)
    }

    /// Trains all experiments with all seeds, except for the runs that are already complete.
    ///
    /// Other processes may train some of them at the same time; at the end, this one waits for theirs.
    ///
    /// - Parameters:
    ///   - experiments: the experiments to train.
    ///   - outlivesFailures: whether the others go on if a run fails for a reason other than divergence, which is then
    ///     recorded in its folder, for ``failures(_:)``.
    ///   - isRound: whether a run also counts that has the epochs and that another process trains for more.
    /// - Returns: false if it was stopped before all runs were complete.
    /// - Throws: ``RecurrentError`` if a run failed, unless `outlivesFailures` is true.
    public func run(_ experiments: [Experiment], outlivesFailures: Bool = false, isRound: Bool = false) throws -> Bool {
        let tasks = experiments.flatMap { experiment in seeds.map { task(experiment, $0) } }
        var sweep = try Sweep(self, tasks, outlivesFailures: outlivesFailures, isRound: isRound)
        return try sweep.run()
    }

    /// Returns the finished runs of the experiments, by the experiments' names.
    ///
    /// - Parameters:
    ///   - experiments: the experiments.
    ///   - isRound: whether a run also counts that has the epochs and that another process trains for more.
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if a folder is damaged, or
    ///   holds another experiment.
    public func records(_ experiments: [Experiment], isRound: Bool = false) throws -> [String: [RunRecord]] {
        var result: [String: [RunRecord]] = [:]
        for experiment in experiments {
            result[experiment.id] = try seeds.compactMap { try record(task(experiment, $0), isRound: isRound) }
        }
        return result
    }

    /// Returns why runs of the experiments failed when they were tried last, by the experiments' names.
    ///
    /// - Throws: ``RecurrentError`` if a plug-in isn't registered.
    public func failures(_ experiments: [Experiment]) throws -> [String: [String]] {
        var result: [String: [String]] = [:]
        for task in experiments.flatMap({ experiment in seeds.map { task(experiment, $0) } }) {
            if let failure = try failure(task) { result[task.experiment.id, default: []].append(failure.reason) }
        }
        return result
    }

    /// Returns why a task's run failed when it was tried last; nil if it didn't fail.
    func failure(_ task: RunTask) throws -> RunFailure? {
        guard let failure = RunFailure.read(in: task.folder),
            let failed = try? registry.resolve(failure.configuration, locatesData: false),
            try failed.isSameRun(as: configuration(task), registry: registry)
        else { return nil }
        return failure
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
    func configuration(_ task: RunTask) throws -> RunConfiguration {
        var configuration = task.experiment.configuration
        configuration.seed = task.seed
        // On another host, a run has the processors that the launcher gives it.
        if launcher == nil, let option = registry.threadsOption(of: configuration.backend.name),
            configuration.backend[option] ?? .null == .null
        {
            configuration.backend[option] = .integer(max(machine.processors / jobs, 1))
        }
        return try registry.resolve(configuration, locatesData: false)
    }

    /// Returns the record of a task's run, which may have fewer epochs than requested; nil if it isn't finished.
    ///
    /// - Parameter isRound: whether a run also counts that has the epochs and that another process trains for more.
    func record(_ task: RunTask, isRound: Bool = false) throws -> RunRecord? {
        do {
            if let record = try finishedRecord(task) { return record }
        } catch {
            // Another process has begun to change it, or has just finished doing so.
            if !RunClaim.isTaken(task.folder) { return try finishedRecord(task) }
        }
        guard isRound, RunClaim.isTaken(task.folder),
            let record = try? RunRecord(
                growing: task.experiment, seed: task.seed, folder: task.folder, place: task.place, registry: registry),
            record.valid.count >= task.experiment.epochs
        else { return nil }
        try check(task, record.configuration)
        return record
    }

    private func finishedRecord(_ task: RunTask) throws -> RunRecord? {
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
    func check(_ task: RunTask, _ found: RunConfiguration) throws {
        let free: Set = addsEpochs && task.experiment.canGrow ? ["epochs"] : []
        let wanted = try configuration(task)
        guard let change = found.differences(to: wanted, except: free, registry: registry).first else { return }
        let detail = " (`\(change.name)` \(change.old?.text ?? "not set") instead of \(change.new?.text ?? "none"))"
        throw RecurrentError.checkpoint(
            path: task.folder,
            reason: "was made with other options\(detail); choose another `output`, or remove the folder")
    }
}
