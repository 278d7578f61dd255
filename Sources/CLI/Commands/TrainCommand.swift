import ArgumentParser
import RecurrentCore

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a cell on a data set; without options, a uRNN on the recall task.")

    @Option(help: "Cell (default: urnn; `list` names all).")
    var cell: String?
    @OptionGroup var options: TrainOptions
    @Option(help: "Write config.json, metrics.jsonl and model.safetensors into this folder.")
    var output: String?
    @Flag(help: "Replace a run that the output folder already holds.")
    var overwrite = false
    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func run() throws {
        let configuration = try options.resolve(cell: cell)
        let (run, summary) = try Self.train(configuration, output: output, overwrite: overwrite, quiet: quiet)
        if !quiet {
            Terminal.print("")
            Terminal.print(SummaryTable.text([(run.options, summary)], metric: run.model.data.metric))
            Terminal.print(SummaryTable.settings(run.options))
            if let output { Terminal.print(summary.best == nil ? "no epoch was finished: \(output) holds no model" : "saved in \(output)") }
        }
        if let error = summary.error { throw error }
    }

    /// Trains one run. A run that diverged has a summary too.
    static func train(
        _ configuration: RunConfiguration, output: String?, overwrite: Bool, quiet: Bool
    ) throws -> (run: TrainingRun, summary: TrainingSummary) {
        if let output { try RunDirectory.check(output, overwrite: overwrite) }
        let run = try TrainingRun(configuration)
        // Before training, so that nobody waits for an hour to learn that nothing
        // can be written; after all else, so that a mistake replaces no older run.
        try run.check()
        let directory = try output.map { try RunDirectory(creating: $0, run.options, overwrite: overwrite) }
        try directory?.writeDataFiles(run.dataset)
        var observers: [any TrainingObserver] = []
        if let directory { observers.append(try MetricsLog(directory)) }
        if !quiet { observers.append(ConsoleProgress(label: configuration.cell)) }
        let keeper = SummaryKeeper()
        observers.append(keeper)
        Interruption.install()
        do {
            return (run, try run.train(observers: observers))
        } catch RecurrentError.diverged {
            return (run, keeper.summary!)
        }
    }
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
