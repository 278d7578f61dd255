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
        let summary = try Self.train(configuration, output: output, overwrite: overwrite, quiet: quiet)
        if summary.end == .interrupted { throw ExitCode(130) }
    }

    /// Trains one run; prints its table unless quiet, and if it diverges too.
    @discardableResult
    static func train(
        _ configuration: RunConfiguration, output: String?, overwrite: Bool, quiet: Bool, printsTable: Bool = true
    ) throws -> TrainingSummary {
        let run = try TrainingRun(configuration)
        // Before training: nobody should wait for an hour and then learn that
        // nothing can be written.
        let directory = try output.map { try RunDirectory(creating: $0, configuration, overwrite: overwrite) }
        try directory?.writeDataFiles(run.dataset)
        var observers: [any TrainingObserver] = []
        if let directory { observers.append(try MetricsLog(directory)) }
        if !quiet { observers.append(ConsoleProgress(label: configuration.cell)) }
        let keeper = SummaryKeeper()
        observers.append(keeper)
        Interruption.install()
        defer {
            if !quiet, printsTable, let summary = keeper.summary {
                Terminal.print("")
                Terminal.print(SummaryTable.text([(configuration, summary)], metric: run.model.data.metric))
                Terminal.print(SummaryTable.settings(configuration))
                if let output { Terminal.print("saved in \(output)") }
            }
        }
        return try run.train(observers: observers)
    }
}

/// Keeps the summary of a run that ends with an error too.
private final class SummaryKeeper: TrainingObserver {
    private(set) var summary: TrainingSummary?
    func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws { self.summary = summary }
}

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Train several cells with the same options, one after the other.")

    @Option(help: "Cells, separated by commas. identity-rnn is the vanilla RNN started at W = I.")
    var cells = "urnn,rnn"
    @OptionGroup var options: TrainOptions
    @Option(help: "Write each run into a folder of this folder.")
    var output: String?
    @Flag(help: "Replace runs that the output folder already holds.")
    var overwrite = false
    @Flag(help: "Print the final table only.")
    var quiet = false

    func run() throws {
        let runs = try cells.split(separator: ",").map { name -> (name: String, options: RunConfiguration) in
            let isIdentity = name == "identity-rnn"
            var configuration = try options.resolve(cell: isIdentity ? "rnn" : String(name))
            if isIdentity { configuration.recurrentInit = .identity }
            _ = try Registry.current.cells.find("cell", configuration.cell)
            return (String(name), configuration)
        }
        guard !runs.isEmpty else { throw RecurrentError.invalidOption("--cells names no cell") }
        var finished: [(options: RunConfiguration, summary: TrainingSummary)] = []
        for run in runs where !Interruption.isRequested {
            let summary = try TrainCommand.train(
                run.options, output: output.map { "\($0)/\(run.name)" }, overwrite: overwrite, quiet: quiet,
                printsTable: false)
            var shown = run.options
            shown.cell = run.name
            finished.append((shown, summary))
        }
        let metric = try Registry.current.dataset(runs[0].options.dataset).plugin
            .make(Registry.current.context(runs[0].options)).description.metric
        Terminal.print("")
        Terminal.print(SummaryTable.text(finished, metric: metric))
        Terminal.print(SummaryTable.settings(runs[0].options))
        if Interruption.isRequested { throw ExitCode(130) }
    }
}
