import ArgumentParser
import RecurrentCore

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

    private typealias Run = (name: String, options: RunConfiguration, folder: String?)

    /// Every run, checked before the first one starts.
    private func plan() throws -> [Run] {
        if output == "" { throw RecurrentError.invalidOption("--output names no folder") }
        var names: Set<String> = []
        let runs = try cells.split(separator: ",").map { text -> Run in
            let name = String(text), isIdentity = name == "identity-rnn"
            guard names.insert(name).inserted else { throw RecurrentError.invalidOption("--cells names '\(name)' twice") }
            var configuration = try options.resolve(cell: isIdentity ? "rnn" : name)
            if isIdentity { configuration.recurrentInit = .identity }
            _ = try Registry.current.cells.find("cell", configuration.cell)
            let folder = output.map { "\($0)/\(name)" }
            if let folder { try RunDirectory.check(folder, overwrite: overwrite) }
            return (name, configuration, folder)
        }
        guard !runs.isEmpty else { throw RecurrentError.invalidOption("--cells names no cell") }
        return runs
    }

    func run() throws {
        let runs = try plan()
        var finished: [(options: RunConfiguration, summary: TrainingSummary)] = []
        var data: DatasetDescription?
        for run in runs where !Interruption.isRequested {
            // A cell that diverges is a result; the others are trained all the same.
            let (made, summary) = try TrainCommand.train(
                run.options, output: run.folder, overwrite: overwrite, quiet: quiet)
            data = made.model.data
            var shown = run.options
            shown.cell = run.name
            finished.append((shown, summary))
        }
        Terminal.print("")
        Terminal.print(SummaryTable.text(finished, metric: data?.metric ?? .accuracy))
        if let baseline = data.flatMap(SummaryTable.baseline) { Terminal.print(baseline) }
        Terminal.print(try SummaryTable.settings(runs[0].options))
        if Interruption.isRequested { throw ExitCode(130) }
        if let error = finished.lazy.compactMap(\.summary.error).first { throw error }
    }
}
