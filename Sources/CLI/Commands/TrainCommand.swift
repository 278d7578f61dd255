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
        "Go on with the run in this folder, with its own options; --epochs, --patience, --stop-loss, --learning-rate, --checkpoint-every, --backend, --threads, --device, --precision and --data may be given anew.",
        valueName: "run"))
    var resume: String?
    @Option(help: ArgumentHelp(
        "Start a new run from the weights in this folder, with that run's options where none are given.", valueName: "run"))
    var from: String?
    @Flag(help: "With --output or --resume: write an event file for TensorBoard, too.")
    var tensorboard = false
    @Option(help: ArgumentHelp(
        "With --output or --resume: measure ‖∂x_T/∂x_1‖ every so many batches, for metrics.jsonl and TensorBoard.", valueName: "batches"))
    var trackGradients: Int?
    @Flag(help: "Print nothing but errors.")
    var quiet = false

    var reporting: RunReporting {
        RunReporting(quiet: quiet, tensorboard: tensorboard, trackGradients: trackGradients)
    }

    func run() throws {
        let hasFolder = resume != nil || output != nil
        guard !tensorboard || hasFolder else {
            throw RecurrentError.invalidOption("--tensorboard writes into the run's folder; add --output")
        }
        if let trackGradients {
            guard trackGradients >= 1 else {
                throw RecurrentError.invalidOption("--track-gradients must be at least 1, not \(trackGradients)")
            }
            guard hasFolder else {
                throw RecurrentError.invalidOption("--track-gradients writes into the run's folder; add --output")
            }
        }
        guard from == nil || resume == nil else {
            throw RecurrentError.invalidOption("--from starts a new run, --resume goes on with one; leave out one of them")
        }
        let (run, summary) = try resume.map(resumed) ?? from.map(started) ?? Self.train(
            options.resolve(cell: cell), output: output, overwrite: overwrite, reporting)
        if !quiet {
            Terminal.print("")
            Terminal.print(SummaryTable.text([(run.options, summary)], metric: run.model.data.metric))
            Terminal.print(SummaryTable.settings(run.options))
            if let folder = resume ?? output {
                Terminal.print(
                    summary.end == .interrupted
                        ? "saved in \(folder); go on with: train --resume \(folder)"
                        : summary.best == nil ? "no epoch was finished: \(folder) holds no model" : "saved in \(folder)")
            }
        }
        if let error = summary.error { throw error }
    }

    private func resumed(_ folder: String) throws -> (run: TrainingRun, summary: TrainingSummary) {
        guard output == nil, !overwrite else {
            throw RecurrentError.invalidOption("--resume goes on in its own folder; leave out --output and --overwrite")
        }
        let directory = try RunDirectory(resuming: folder)
        let saved = try directory.configuration()
        let wanted = try options.applied(to: saved, cell: cell)
        try saved.checkResumable(as: wanted)
        let run = try TrainingRun(wanted, vocabulary: directory.vocabulary(), measuresGradientNorm: tensorboard)
        return try Self.train(run, in: directory, resumes: true, reporting)
    }

    /// Trains one run from the beginning. A run that diverged has a summary too.
    static func train(
        _ configuration: RunConfiguration, output: String?, overwrite: Bool, _ reporting: RunReporting
    ) throws -> (run: TrainingRun, summary: TrainingSummary) {
        if let output { try RunDirectory.check(output, overwrite: overwrite) }
        return try train(
            TrainingRun(configuration, measuresGradientNorm: reporting.tensorboard), output: output, overwrite: overwrite,
            reporting)
    }

    /// Trains a run that is put together already from its beginning.
    static func train(
        _ run: TrainingRun, output: String?, overwrite: Bool, _ reporting: RunReporting
    ) throws -> (run: TrainingRun, summary: TrainingSummary) {
        // Before training, so that nobody waits for an hour to learn that nothing
        // can be written; after all else, so that a mistake replaces no older run.
        _ = try run.trainer([])
        let directory = try output.map { try RunDirectory(creating: $0, run.options, overwrite: overwrite) }
        try directory?.writeDataFiles(run.dataset)
        return try train(run, in: directory, resumes: false, reporting)
    }

    private static func train(
        _ run: TrainingRun, in directory: RunDirectory?, resumes: Bool, _ reporting: RunReporting
    ) throws -> (run: TrainingRun, summary: TrainingSummary) {
        let keeper = SummaryKeeper(), log = directory.map { MetricsLog($0, run.options) }
        var observers: [any TrainingObserver] = [keeper]
        if !reporting.quiet { observers.insert(ConsoleProgress(label: run.options.cell), at: 0) }
        if let log { observers.insert(log, at: 0) }
        if reporting.tensorboard, let directory {
            observers.append(TensorBoardLog(in: directory.path, model: run.model, updater: run.updater))
        }
        if let interval = reporting.trackGradients {
            observers.append(
                GradientTracker(
                    every: interval, model: run.model, dataset: run.dataset, batchSize: run.options.batchSize,
                    observers: observers))
        }
        let trainer = try run.trainer(observers)
        if resumes, let log {
            try log.resume(trainer)
            if !reporting.quiet { Terminal.print("goes on after step \(trainer.updater.step)") }
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

/// What a run tells while it is trained.
struct RunReporting {
    var quiet = false
    var tensorboard = false
    /// Batches between two measurements of gradient norms; nil for none.
    var trackGradients: Int?
}

/// Keeps the summary of a run that ends with an error too.
private final class SummaryKeeper: TrainingObserver {
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
