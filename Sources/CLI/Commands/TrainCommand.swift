import ArgumentParser
import RecurrentCore

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a cell on a data set; without options, a uRNN on the recall task.")

    @Option(help: "Cell (default: urnn; `list` names all).")
    var cell: String?
    @OptionGroup var options: TrainOptions
    @Option(help: "Write config.json, metrics.jsonl, model.safetensors and state.safetensors into this folder.")
    var output: String?
    @Flag(help: "Replace a run that the output folder already holds.")
    var overwrite = false
    @Option(help: ArgumentHelp(
        "Go on with the run in this folder, with its own options; --epochs, --patience, --stop-loss, --learning-rate, --checkpoint-every, --tensorboard, --track-gradients, --track-epochs, --track-test, --backend, --threads, --device, --precision and --data may be given anew.",
        valueName: "run"))
    var resume: String?
    @Option(help: ArgumentHelp(
        "Start a new run from the weights in this folder, with that run's options where none are given.", valueName: "run"))
    var from: String?
    @OptionGroup var tracking: TrackingOptions
    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func run() throws {
        if resume == nil, output == nil { try tracking.checkWithoutFolder() }
        guard from == nil || resume == nil else {
            throw RecurrentError.invalidOption("--from starts a new run, --resume goes on with one; leave out one of them")
        }
        let (run, summary) = try resume.map(resumed) ?? from.map(started) ?? Self.train(
            recorded(options.resolve(cell: cell)), output: output, overwrite: overwrite, quiet: quiet)
        if !quiet {
            Terminal.print("")
            Terminal.print(SummaryTable.text([(run.options, summary)], metric: run.model.data.metric))
            if let baseline = SummaryTable.baseline(run.model.data) { Terminal.print(baseline) }
            Terminal.print(try SummaryTable.settings(run.options))
            if let folder = resume ?? output {
                Terminal.print(
                    summary.end == .interrupted
                        ? "saved in \(folder); go on with: train --resume \(folder)"
                        : summary.best == nil ? "no epoch was finished: \(folder) holds no model" : "saved in \(folder)")
            }
        }
        if let error = summary.error { throw error }
    }

    /// With what this command tracks beside the losses.
    func recorded(_ configuration: RunConfiguration) throws -> RunConfiguration {
        try tracking.applied(to: configuration, hasFolder: resume != nil || output != nil)
    }

    private func resumed(_ folder: String) throws -> (run: TrainingRun, summary: TrainingSummary) {
        guard output == nil, !overwrite else {
            throw RecurrentError.invalidOption("--resume goes on in its own folder; leave out --output and --overwrite")
        }
        let directory = try RunDirectory(resuming: folder)
        let saved = try directory.configuration()
        let wanted = try recorded(options.applied(to: saved, cell: cell))
        try saved.checkResumable(as: wanted)
        let run = try TrainingRun(wanted, vocabulary: directory.vocabulary())
        return try Self.train(run, in: directory, resumes: true, quiet: quiet)
    }

    /// Trains one run from the beginning. A run that diverged has a summary too.
    static func train(
        _ configuration: RunConfiguration, output: String?, overwrite: Bool, quiet: Bool
    ) throws -> (run: TrainingRun, summary: TrainingSummary) {
        if let output { try RunDirectory.check(output, overwrite: overwrite) }
        return try train(TrainingRun(configuration), output: output, overwrite: overwrite, quiet: quiet)
    }

    /// Trains a run that is put together already from its beginning.
    static func train(
        _ run: TrainingRun, output: String?, overwrite: Bool, quiet: Bool
    ) throws -> (run: TrainingRun, summary: TrainingSummary) {
        // Before training, so that nobody waits for an hour to learn that nothing
        // can be written; after all else, so that a mistake replaces no older run.
        _ = try run.trainer([])
        let directory = try output.map { try RunDirectory(creating: $0, run.options, overwrite: overwrite) }
        try directory?.writeDataFiles(run.dataset)
        return try train(run, in: directory, resumes: false, quiet: quiet)
    }

    private static func train(
        _ run: TrainingRun, in directory: RunDirectory?, resumes: Bool, quiet: Bool
    ) throws -> (run: TrainingRun, summary: TrainingSummary) {
        let keeper = SummaryKeeper(), log = directory.map { MetricsLog($0, run.options) }
        var observers: [any TrainingObserver] = [keeper]
        if !quiet { observers.insert(ConsoleProgress(label: run.options.cell), at: 0) }
        if let log { observers.insert(log, at: 0) }
        if run.options.tensorboard, let directory {
            observers.append(TensorBoardLog(in: directory.path, model: run.model, updater: run.updater))
        }
        let trackedEpochs = Set(run.options.trackEpochs ?? [])
        if run.options.trackGradients != nil || !trackedEpochs.isEmpty {
            observers.append(
                GradientTracker(
                    every: run.options.trackGradients, epochs: trackedEpochs, model: run.model, dataset: run.dataset, batchSize: run.options.batchSize,
                    observers: observers))
        }
        let trainer = try run.trainer(observers)
        if resumes, let log {
            try log.resume(trainer)
            if !quiet { Terminal.print("goes on after step \(trainer.updater.step)") }
        } else {
            try log?.begin(trainer)
        }
        Interruption.install()
        do {
            return (run, try trainer.run())
        } catch RecurrentError.diverged {
            return (run, keeper.summary!)
        }
    }
}

/// Keeps the summary of a run that ends with an error too.
private final class SummaryKeeper: TrainingObserver {
    var acceptsLateBatches: Bool { true }
    private(set) var summary: TrainingSummary?
    func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws { self.summary = summary }
}

extension TrainingSummary {
    /// What the program ends with, if not with success.
    var error: (any Error)? {
        switch end {
        case .interrupted: ExitCode(130)
        case .diverged(let step, let loss): RecurrentError.diverged(step: step, loss: loss)
        default: nil
        }
    }
}
