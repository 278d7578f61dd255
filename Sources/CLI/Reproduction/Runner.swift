import Foundation
import RecurrentCore

/// Trains experiments, each as a process of its own, some side by side. What was
/// finished before is kept, what was begun is gone on with.
public struct Runner: Sendable {
    /// Of the program whose `train` is used.
    public let executable: String
    /// The folder of the report; runs lie below.
    public let output: String
    /// Below `output`: `runs/short`.
    public let subfolder: String
    public let seeds: [UInt64]
    public let jobs: Int
    public let machine: Machine
    /// What the language models read; nil if they aren't wanted, or nothing is trained.
    public let corpus: Corpus?
    /// Names of folders for readers, as `$PTB_DIR`.
    public let aliases: [String: String]
    /// Whether a run with fewer epochs than asked for goes on, instead of being another.
    public let addsEpochs: Bool
    /// Told of each run's end.
    public let report: @Sendable (String) -> Void
    /// Told every second what is at work, in one line.
    public let showProgress: (@Sendable (String) -> Void)?
    public let shouldStop: @Sendable () -> Bool

    public init(
        executable: String, output: String, subfolder: String, seeds: [UInt64], jobs: Int, machine: Machine,
        corpus: Corpus? = nil, aliases: [String: String] = [:], addsEpochs: Bool = false, report: @escaping @Sendable (String) -> Void,
        showProgress: (@Sendable (String) -> Void)? = nil, shouldStop: @escaping @Sendable () -> Bool
    ) {
        self.executable = executable
        self.output = output
        self.subfolder = subfolder
        self.seeds = seeds
        self.jobs = jobs
        self.machine = machine
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
    }
    private struct Active {
        let task: Task
        let process: ChildProcess
        let command: [String]
        let start: Date
    }

    private func task(_ experiment: Experiment, _ seed: UInt64) -> Task {
        Task(experiment: experiment, seed: seed, folder: "\(output)/\(subfolder)/\(experiment.id)/seed\(seed)")
    }

    /// - Returns: false if it was stopped before all were done.
    /// - Throws: ``RecurrentError`` if a run failed for another reason than divergence.
    public func run(_ experiments: [Experiment]) throws -> Bool {
        let tasks = experiments.flatMap { experiment in seeds.map { task(experiment, $0) } }
        var waiting = try tasks.filter { try record($0)?.isComplete != true }, active: [Active] = []
        if waiting.count < tasks.count { report("\(tasks.count - waiting.count) of \(tasks.count) runs were finished before") }
        waiting.reverse()
        var done = tasks.count - waiting.count
        var failure: (any Error)?
        // Rounds of 20 ms that interrupted runs have to end by themselves: ten seconds.
        var grace = 500, rounds = 0
        defer { for run in active { run.process.send(SIGTERM); _ = run.process.wait() } }
        while !waiting.isEmpty || !active.isEmpty {
            let isInterrupted = shouldStop(), stops = failure != nil || isInterrupted
            // A terminal's Ctrl-C reaches the runs, too; a signal to this program alone doesn't.
            if isInterrupted, grace > 0 {
                grace -= 1
                if grace == 0 { for run in active { run.process.send(SIGINT) } }
            }
            while !stops, active.count < jobs, let task = waiting.popLast() { active.append(try start(task)) }
            if active.isEmpty { break }
            if let showProgress, rounds % 50 == 0 {
                let states = active.map { RunProgress(experiment: $0.task.experiment, seed: $0.task.seed, folder: $0.task.folder).text }
                showProgress("[\(done)/\(tasks.count)] " + states.joined(separator: ", "))
            }
            rounds += 1
            Thread.sleep(forTimeInterval: 0.02)
            for index in active.indices.reversed() where active[index].process.ending != nil {
                let ended = active.remove(at: index)
                do {
                    if try finish(ended) {
                        done += 1
                        report("[\(done)/\(tasks.count)] \(ended.task.experiment.id) seed \(ended.task.seed), \(Int(-ended.start.timeIntervalSinceNow.rounded())) s")
                    }
                } catch {
                    if failure == nil, !active.isEmpty {
                        report("\(ended.task.experiment.id) seed \(ended.task.seed) failed; no other is started, \(active.count) at work will end")
                    }
                    failure = failure ?? error
                }
            }
        }
        showProgress?("")
        if let failure { throw failure }
        return done == tasks.count
    }

    /// What is there of these experiments.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if a folder is damaged, or
    ///   holds another experiment.
    public func records(_ experiments: [Experiment]) throws -> [String: [RunRecord]] {
        var result: [String: [RunRecord]] = [:]
        for experiment in experiments { result[experiment.id] = try seeds.compactMap { try record(task(experiment, $0)) } }
        return result
    }

    private func command(_ task: Task) -> [String] {
        ["train"] + task.experiment.options + ["--seed", "\(task.seed)", "--threads", "\(max(machine.processors / jobs, 1))"]
    }

    /// Nil if it isn't finished. It may have fewer epochs than asked for.
    private func record(_ task: Task) throws -> RunRecord? {
        guard FileManager.default.fileExists(atPath: task.folder + "/" + RunRecord.completionFile) else { return nil }
        let record = try RunRecord(task.experiment, seed: task.seed, folder: task.folder)
        guard essence(record.completion.command) == essence(command(task)) else {
            throw RecurrentError.checkpoint(
                path: task.folder, reason: "was made with other options; choose another --output, or remove the folder")
        }
        if let corpus, let recorded = record.completion.corpus, recorded != corpus.recorded {
            throw RecurrentError.checkpoint(
                path: task.folder,
                reason: "was trained on \(Corpus(recorded: recorded)?.name ?? "another corpus"); choose another --output, or remove the folder")
        }
        return record
    }

    /// With folders as seen from the report, so that a report can be moved and shown.
    private func shown(_ command: [String]) -> [String] {
        command.map { aliases[$0] ?? Report.relative($0, to: output) }
    }

    /// The options that numbers depend on; not the epochs, after which a run can go on.
    private func essence(_ command: [String]) -> [String] {
        var result: [String] = []
        var index = 0
        while index < command.count {
            if ["--threads", "--output", "--data", "--track-gradients", "--track-epochs"].contains(command[index])
                || (command[index] == "--epochs" && canAddEpochs(command))
            {
                index += 2
            } else if command[index] == "--track-test" {
                index += 1
            } else {
                result.append(command[index])
                index += 1
            }
        }
        return result
    }

    /// A learning rate that falls over the epochs isn't the same over more of them.
    private func canAddEpochs(_ command: [String]) -> Bool { addsEpochs && !command.contains("--schedule") }

    private func start(_ task: Task) throws -> Active {
        let manager = FileManager.default
        let begun = manager.fileExists(atPath: task.folder + "/state.safetensors")
        let full = command(task) + ["--output", task.folder]
        var arguments = full + ["--overwrite"]
        if begun {
            arguments = ["train", "--resume", task.folder]
            // The run's own folder may say less: it lies elsewhere now, or is of an older program.
            for name in ["--epochs", "--track-gradients", "--track-epochs", "--threads", "--data"]
            where name != "--epochs" || canAddEpochs(full) {
                if let index = full.firstIndex(of: name) { arguments += full[index...index + 1] }
            }
            if full.contains("--track-test") { arguments.append("--track-test") }
        }
        // Of fewer epochs: the folder's files won't be those of that run any more.
        try? manager.removeItem(atPath: task.folder + "/" + RunRecord.completionFile)
        return Active(
            task: task, process: try ChildProcess(executable, arguments + ["--quiet"]), command: full, start: Date())
    }

    /// - Returns: false if the run was interrupted; it can be gone on with.
    private func finish(_ run: Active) throws -> Bool {
        let ending = run.process.wait()
        let message = run.process.readErrors().split(separator: "\n").last.map(String.init) ?? ""
        let status: Int32
        switch ending {
        case .exit(let code): status = code
        case .signal(let number):
            if shouldStop() { return false }
            status = 128 + number
        }
        if status == 130 { return false }
        // A run that diverged is a result.
        guard status == 0 || (status == 1 && message.contains("the loss became")) else {
            throw RecurrentError.file(
                path: run.task.folder,
                reason: "the run failed (\(message.isEmpty ? "status \(status)" : message.replacingOccurrences(of: "error: ", with: "")))")
        }
        // A resumed run has trained before.
        let seconds = max(-run.start.timeIntervalSinceNow, try RunRecord.trainSeconds(run.task.folder))
        var command = run.command
        // It had more already when it was gone on with.
        if let index = command.lastIndex(of: "--epochs"), let asked = Experiment.epochs(command) {
            command[index + 1] = "\(max(asked, try RunRecord.epochs(run.task.folder)))"
        }
        let completion = RunRecord.Completion(
            command: shown(command), status: status, message: message, seconds: seconds,
            machine: machine.description, date: Machine.today, corpus: run.command.contains("--data") ? corpus?.recorded : nil)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(Array(try encoder.encode(completion)) + [10], to: run.task.folder + "/" + RunRecord.completionFile)
        return true
    }
}
