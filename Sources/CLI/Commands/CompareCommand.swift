import ArgumentParser
import RecurrentCore
import RecurrentRuns

struct CompareCommand: FlagCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Train several cells with the same options, one after the other.",
        usage: "cli compare [--cells <names>] [options]")
    static let scope = FlagScope(kinds: PluginKind.allCases, fixed: [.cell], options: nil) { _ in
        "does nothing in compare; --cells names the cells"
    }

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var arguments: [String] = []
    @Option(help: "Cells, separated by commas; identity-rnn is the vanilla RNN started at W = I.")
    var cells = "urnn,rnn"
    @Option(help: ArgumentHelp("Write each run into a subfolder of this folder.", valueName: "folder"))
    var output: String?
    @Flag(help: "Replace runs that the output folder already holds.")
    var overwrite = false
    @OptionGroup var logInterval: LogInterval
    @Flag(help: "Print only the final table.")
    var quiet = false

    private typealias Planned = (name: String, configuration: RunConfiguration, folder: String?)

    /// Returns all runs, which are checked before the first one starts.
    private func plan() throws -> [Planned] {
        if output == nil, overwrite { throw RecurrentError.invalidOption("--overwrite needs --output") }
        if output == "" { throw RecurrentError.invalidOption("--output names no folder") }
        var names: Set<String> = [], idle: [[String: String]] = []
        let runs = try ListText.elements(cells, of: "--cells").map { text -> Planned in
            let name = text.lowercased(), isIdentity = name == "identity-rnn"
            guard names.insert(name).inserted else {
                throw RecurrentError.invalidOption("--cells names '\(name)' twice")
            }
            let parsed = try Self.parser.parse(arguments, fixed: [.cell: isIdentity ? "rnn" : name])
            var useless = Dictionary(parsed.idle.map { ($0.flag, $0.reason) }) { $1 }
            if isIdentity, parsed.given.contains("recurrentInit") {
                useless["--recurrent-init"] =
                    "--recurrent-init does nothing for identity-rnn, which starts at W = I; leave it out"
            }
            idle.append(useless)
            var configuration = parsed.configuration
            if isIdentity { configuration.model.recurrentInitialization = .identity }
            let folder = output.map { "\($0)/\(name)" }
            if let folder { try RunFolder.check(folder, overwrite: overwrite) }
            return (name, configuration, folder)
        }
        // A flag is refused only if none of the cells uses it.
        if let flag = idle[0].keys.sorted().first(where: { flag in idle.allSatisfy { $0[flag] != nil } }) {
            throw RecurrentError.invalidOption(Self.refusal(zip(runs.map(\.name), idle.map { $0[flag]! })))
        }
        if output == nil, let option = runs[0].configuration.tracking.needsFolder {
            throw RecurrentError.invalidOption("`\(option)` writes into the run's folder; add --output")
        }
        return runs
    }

    /// Returns the message about a flag that does nothing for any of the cells, which names them all.
    private static func refusal(_ reasons: Zip2Sequence<[String], [String]>) -> String {
        let first = Array(reasons)[0].1, ending = "; leave it out"
        let others = reasons.dropFirst().filter { $0.1 != first }.map(\.0)
        guard !others.isEmpty, first.hasSuffix(ending) else { return first }
        return first.dropLast(ending.count) + ", nor for \(OptionKind.either(others))" + ending
    }

    func run() throws {
        try logInterval.check(quiet: quiet)
        let runs = try plan()
        if output == nil, !quiet { Terminal.print("these runs aren't saved; add --output FOLDER to save them") }
        Interruption.install()
        var finished: [(name: String, summary: TrainingSummary)] = []
        var data: DatasetDescription?
        for planned in runs where !Interruption.isRequested {
            // Divergence of a cell is a result; the other cells are trained nevertheless.
            let run = try Run(planned.configuration, registry: .current)
            let summary = try run.train(
                output: planned.folder, overwrite: overwrite,
                observers: quiet
                    ? []
                    : [
                        ConsoleProgress(
                            label: planned.name, rates: SummaryTable.rates(run.configuration),
                            logInterval: logInterval.seconds)
                    ],
                shouldStop: { Interruption.isRequested })
            data = run.model.data
            finished.append((planned.name, summary))
        }
        let wasInterrupted = Interruption.isRequested
        Terminal.print("")
        Terminal.print(SummaryTable.text(finished, metric: data?.metric ?? .accuracy))
        if let baseline = data.flatMap(SummaryTable.baseline) { Terminal.print(baseline) }
        for line in try SummaryTable.settings(runs.map { ($0.name, $0.configuration) }) { Terminal.print(line) }
        if let last = finished.indices.last, finished[last].summary.end == .interrupted, let folder = runs[last].folder,
            !quiet
        {
            Terminal.advise("saved in \(folder); resume it with: train --resume \(folder.shellWord)")
        }
        if wasInterrupted { throw ExitCode(130) }
        if let error = finished.lazy.compactMap(\.summary.error).first { throw error }
    }
}
