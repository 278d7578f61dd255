import ArgumentParser
import RecurrentCore
import RecurrentRuns

struct TrainCommand: FlagCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a cell on a data set; by default a uRNN on the recall task.",
        usage: "cli train [options]")
    static let scope = FlagScope.all

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var arguments: [String] = []
    @Option(
        help: ArgumentHelp(
            "Options from this file or run's folder; flags override it. With --resume, only what it gives changes.",
            valueName: "file"))
    var config: String?
    @Option(
        help: ArgumentHelp(
            "Write config.json, metrics.jsonl, model.safetensors and state.safetensors into this folder.",
            valueName: "folder"))
    var output: String?
    @Flag(help: "Replace a run that the output folder already holds.")
    var overwrite = false
    @Option(
        help: ArgumentHelp(
            "Resume the run in this folder; only epochs, patience, stop loss, learning rates, checkpoints, tracking, backend and data may change.",
            valueName: "run"))
    var resume: String?
    @Option(
        help: ArgumentHelp(
            "Start from the weights of the run in this folder, with its options unless others are given.",
            valueName: "run"))
    var from: String?
    @OptionGroup var logInterval: LogInterval
    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func run() throws {
        let (run, summary) = try GroupMember.untilFailure {
            try resume.map(resumed) ?? train(ProcessGroup.together { try checked(prepared) })
        }
        if !quiet { try report(run, summary) }
        if let error = summary.error { throw error }
    }

    /// Checks the command's own options before it does anything.
    private func checked<Result>(_ body: () throws -> Result) throws -> Result {
        try logInterval.check(quiet: quiet)
        if from != nil, resume != nil {
            throw RecurrentError.invalidOption("--from starts a new run, --resume continues one; leave out one of them")
        }
        if config != nil, from != nil {
            throw RecurrentError.invalidOption("--config and --from both say what to train; leave out one of them")
        }
        if let folder = resume ?? from { try checkRun(folder) }
        return try body()
    }

    /// Returns a new run.
    private func prepared() throws -> Run {
        if let output { try RunFolder.check(output, overwrite: overwrite) }
        if let from {
            // The run starts from the weights of another, with that run's options unless others are given.
            var saved = try RunFolder(opening: from).resolvedConfiguration(.current)
            saved.from = from
            return try Run(configuration(onto: saved), startingFrom: from, registry: .current)
        }
        let configuration = try configuration(
            onto: config.map {
                let flags = try Set(Self.parser.options(arguments))
                return try Registry.current.configuration(file: $0, overridden: flags)
            })
        // The configuration of a run that started from other weights says which.
        if let from = configuration.from {
            return try Run(configuration, startingFrom: from, registry: .current)
        }
        return try Run(configuration, registry: .current)
    }

    private func resumed(_ folder: String) throws -> (run: Run, summary: TrainingSummary) {
        try ProcessGroup.together {
            try checked {
                guard output == nil, !overwrite else {
                    throw RecurrentError.invalidOption(
                        "--resume continues in its own folder; leave out --output and --overwrite")
                }
            }
        }
        Interruption.install()
        let trained = RunFolder(opening: folder).trainedEpochs
        var warning: (Int) throws -> String? = { _ in nil }
        return try Run.resume(
            folder, registry: .current,
            changes: { saved in
                let wanted = try Self.parser.configuration(
                    arguments,
                    onto: config.map {
                        let flags = try Set(Self.parser.options(arguments))
                        return try Registry.current.configuration(file: $0, onto: saved, overridden: flags)
                    } ?? saved)
                warning = { try Self.warning(saved, wanted, step: $0, epochs: trained) }
                return wanted
            }, observers: observers,
            shouldStop: { Interruption.isRequested }
        ) { step in
            guard !quiet else { return }
            Terminal.print("resumed after step \(step)")
            if let warning = try? warning(step) { Terminal.advise(warning) }
        }
    }

    /// Returns what a user who asks for more epochs may not expect: a schedule that ends with the last epoch is stretched.
    private static func warning(
        _ saved: RunConfiguration, _ wanted: RunConfiguration, step: Int, epochs trained: Int
    ) throws -> String? {
        let (old, new) = (saved.training.epochs, wanted.training.epochs)
        guard old != new, trained > 0 else { return nil }
        let schedule = try Registry.current.makeSchedule(wanted)
        let rates = [old, new].map { epochs in
            let (steps, isEndless) = (step / trained).multipliedReportingOverflow(by: epochs)
            let moment = ScheduleMoment(
                base: wanted.training.learningRate, step: step, epoch: trained + 1,
                totalSteps: isEndless ? .max : steps, warmupSteps: wanted.training.warmupSteps)
            return Format.significant(schedule.rate(at: moment))
        }
        guard rates[0] != rates[1] else { return nil }
        return
            "the learning rate goes on at \(rates[1]) instead of \(rates[0]): the schedule \(wanted.schedule.name) now spans \(new) epochs instead of \(old)"
    }

    /// Returns a configuration with the flags applied; without a folder, tracking that needs one is turned off.
    private func configuration(onto base: RunConfiguration?) throws -> RunConfiguration {
        var result = try Self.parser.parse(arguments, onto: base)
        if let idle = result.idle.first { throw RecurrentError.invalidOption(idle.reason) }
        if output == nil, overwrite { throw RecurrentError.invalidOption("--overwrite needs --output") }
        if output == nil, result.given.contains("checkpointEvery") {
            throw RecurrentError.invalidOption("`checkpointEvery` writes into the run's folder; add --output")
        }
        if output == nil, let option = result.configuration.tracking.needsFolder {
            guard !result.given.contains(option) else {
                throw RecurrentError.invalidOption("`\(option)` writes into the run's folder; add --output")
            }
            let test = result.configuration.tracking.trackTest
            result.configuration.tracking = TrackingConfiguration()
            result.configuration.tracking.trackTest = test
        }
        return result.configuration
    }

    private func train(_ run: Run) throws -> (run: Run, summary: TrainingSummary) {
        if output == nil, !quiet { Terminal.print("this run isn't saved; add --output FOLDER to save it") }
        Interruption.install()
        return (
            run,
            try run.train(
                output: output, overwrite: overwrite, observers: observers(run),
                shouldStop: { Interruption.isRequested })
        )
    }

    private func observers(_ run: Run) -> [any TrainingObserver] {
        if quiet { return [] }
        let configuration = run.configuration
        return [
            ConsoleProgress(
                label: configuration.cell.name, rates: SummaryTable.rates(configuration),
                note: (run.dataset as? any VocabularyProviding)?.unknownTokensLine, logInterval: logInterval.seconds)
        ]
    }

    private func report(_ run: Run, _ summary: TrainingSummary) throws {
        Terminal.print("")
        Terminal.print(SummaryTable.text([(run.configuration.cell.name, summary)], metric: run.model.data.metric))
        if let baseline = SummaryTable.baseline(run.model.data) { Terminal.print(baseline) }
        for line in try SummaryTable.settings([(run.configuration.cell.name, run.configuration)]) {
            Terminal.print(line)
        }
        let communicator = run.updater.communicator
        if communicator.size > 1 {
            let step = Communication(run.updater), size = Format.significant(Double(step.bytes) / 1e6)
            Terminal.print(
                "\(communicator.size) ranks of \(communicator.name); in a step, each sends \(step.messages) messages of \(size) MB together"
            )
        }
        guard let folder = resume ?? output else { return }
        if summary.end == .interrupted {
            Terminal.advise("saved in \(folder); resume it with: train --resume \(folder.shellWord)")
        } else {
            Terminal.print(
                summary.best == nil ? "no epoch was finished: \(folder) holds no model" : "saved in \(folder)")
        }
    }
}

extension TrainingSummary {
    /// The error with which the program ends; nil for success.
    var error: (any Error)? {
        switch end {
        case .interrupted: ExitCode(130)
        case .diverged(let step, let loss): RecurrentError.diverged(step: step, loss: loss)
        default: nil
        }
    }
}
