import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns

struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Search for settings: train with combinations of the values of some options.",
        discussion: """
            Options that all runs share come after --, as `train` takes them:

            cli search --try learning-rate=0.001,0.003 --try dropout=0,0.2 --output DIR -- --cell urnn --epochs 20

            Any option of train can be tried, including those of plug-ins, flags (tied=true,false) and lists \
            (dropout-on=embedding,output|logits). A range (learning-rate=0.0001..0.01) is drawn from --trials times, \
            uniformly in the logarithm if both ends are above 0.

            Runs are ranked by their best validation loss, averaged over the seeds. Writes report.html, report.md, search.csv \
            and each run's folder. The same command given again continues where it stopped, and runs nothing twice. If --output \
            has runs.tar.gz instead of the folder runs, it is unpacked first.
            """)

    @Option(
        name: .customLong("try"),
        help: ArgumentHelp(
            "An option of train and the values to try, or a range; may be repeated.", valueName: "option=value,value,…")
    )
    var axes: [String] = []
    @Option(help: "Try this many points, drawn at random (default: all combinations).")
    var trials: Int?
    @Flag(help: "Successive halving: a few epochs for all points, twice as many for the better half, and so on.")
    var halving = false
    @Option(help: "Seeds, separated by commas; losses are averaged over them.")
    var seeds = "1"
    @Option(help: "The number of runs to train in parallel; they share the processors.")
    var jobs = 1
    @Option(help: "Folder of the results.")
    var output: String
    @Flag(help: "Train nothing: report on the existing runs.")
    var reportOnly = false
    @Flag(help: "Print nothing but errors and the ranking.")
    var quiet = false
    @Argument(parsing: .postTerminator, help: "Options of train that apply to every run.")
    var options: [String] = []

    func run() throws {
        let search = try settings()
        let seeds = try ReproduceCommand.seeds(seeds)
        // Building one run finds mistakes that every run has before any of them is started.
        let metric =
            reportOnly ? nil : try Run(search.experiments[0].configuration, registry: .current).model.data.metric
        let path = try ResultsFolder.check(output: output, jobs: jobs)
        if reportOnly { try ResultsFolder.checkHasRuns(path, as: output) }
        Interruption.install()
        try ResultsFolder.use(path, readsOnly: reportOnly) { folder in
            let runner = folder.runner("runs", seeds: seeds, jobs: jobs, addsEpochs: halving, quiet: quiet)
            let (records, isComplete) = try train(search, runner)
            guard let metric = try metric ?? recorded(records, search) else {
                throw RecurrentError.file(
                    path: output,
                    reason: runner.hasBegun(search.experiments + (halving ? firstRound(search) : []))
                        ? "no run of this search is finished yet; leave out --report-only to continue it"
                        : "has no runs of this search; give the options with which it was made")
            }
            let missing = search.experiments.count * seeds.count - records.values.reduce(0) { $0 + $1.count }
            try write(search, search.ranking(records), metric, missing: missing, machine: runner.machine, into: path)
            if !isComplete {
                if !quiet { Terminal.advise("interrupted; give the same command again to continue") }
                throw ExitCode(130)
            }
        }
    }

    /// Returns the kind of metric that the runs have; nil if there are no runs.
    private func recorded(_ records: [String: [RunRecord]], _ search: SettingsSearch) throws -> DatasetDescription
        .Metric?
    {
        guard let record = records.values.joined().first else { return nil }
        // The data set is created only if necessary, because its files may not be available.
        return try record.metric ?? Registry.current.makeDataset(record.configuration).description.metric
    }

    private func write(
        _ search: SettingsSearch, _ ranking: [SettingsSearch.Outcome], _ metric: DatasetDescription.Metric,
        missing: Int, machine: Machine,
        into folder: String
    ) throws {
        let section = search.section(ranking, metric: metric)
        let report = Report(
            title: "A search for settings", command: ["cli"] + arguments, machine: machine,
            settings: [("Seeds", seeds)], sections: [section], missing: missing)
        try report.write(into: folder)
        let table = section.tables[0]
        if !ranking.isEmpty { Terminal.print(Terminal.table(table.header, Array(table.rows.prefix(10)))) }
        if let best = ranking.first, best.loss.isFinite {
            let found = try Registry.current.arguments(
                Registry.current.resolve(best.experiment.configuration, locatesData: false), without: ["seed"])
            Terminal.print("best: cli train \(Report.shell(found))")
        }
        Terminal.print("\(folder)/report.html")
        if let best = ranking.first, !best.loss.isFinite, missing == 0 {
            throw RecurrentError.file(
                path: folder, reason: "every run of this search diverged; try lower learning rates, or --clip-norm")
        }
    }

    private static func rounds(_ search: SettingsSearch) -> SuccessiveHalving {
        SuccessiveHalving(
            points: search.experiments.count, epochs: search.experiments.map(\.configuration.training.epochs).max()!)
    }

    /// Returns the experiments of the first round of successive halving.
    private func firstRound(_ search: SettingsSearch) -> [Experiment] {
        let rounds = Self.rounds(search)
        return search.experiments.map { rounds.experiment($0, epochs: rounds.rounds[0]) }
    }

    /// Trains the experiments, unless only a report is wanted, and returns for each the runs with the most epochs.
    private func train(_ search: SettingsSearch, _ runner: Runner) throws -> (
        records: [String: [RunRecord]], isComplete: Bool
    ) {
        guard halving else {
            let isComplete = try reportOnly || runner.run(search.experiments)
            return (try runner.records(search.experiments), isComplete)
        }
        let rounds = Self.rounds(search)
        var left = search.experiments, records: [String: [RunRecord]] = [:]
        for epochs in rounds.rounds {
            let round = left.map { rounds.experiment($0, epochs: epochs) }
            guard try reportOnly || runner.run(round) else { return (records, false) }
            let found = try runner.records(round)
            for (planned, trained) in zip(left, round) { records[planned.id] = found[trained.id] }
            let better = rounds.better(search.ranking(records.filter { id, _ in left.contains { $0.id == id } }))
            left = left.filter { planned in better.contains { $0.point == search.point(of: planned) } }
        }
        return (records, true)
    }

    /// The arguments that repeat this command.
    private var arguments: [String] {
        var words = ["search"] + axes.flatMap { ["--try", $0] }
        if let trials { words += ["--trials", "\(trials)"] }
        if halving { words.append("--halving") }
        words += ["--seeds", seeds, "--jobs", "\(jobs)", "--output", output]
        if reportOnly { words.append("--report-only") }
        return words + ["--"] + options
    }

    private func settings() throws -> SettingsSearch {
        guard !axes.isEmpty else {
            throw RecurrentError.invalidOption(
                "--try names an option and its values, such as --try learning-rate=0.001,0.003")
        }
        guard trials ?? 1 >= 1 else {
            throw RecurrentError.invalidOption("--trials must be at least 1, not \(trials ?? 0)")
        }
        let parser = FlagParser(registry: .current)
        if try parser.split(options).flags.contains(where: { $0.hasPrefix("--seed=") }) {
            throw RecurrentError.invalidOption("search sets --seed itself; leave it out")
        }
        let threads = Registry.current.names(.backend).compactMap(Registry.current.threadsOption)
        return try SettingsSearch(
            axes: try axes.map { text in
                guard let axis = SearchAxis(text: text) else {
                    throw RecurrentError.invalidOption(
                        "--try takes an option and values, each once, such as learning-rate=0.001,0.003, not '\(text)'")
                }
                if halving, axis.option == "epochs" {
                    throw RecurrentError.invalidOption(
                        "--halving sets the epochs of each round; leave --epochs out of --try")
                }
                if axis.option == "seed" || threads.contains(axis.option) {
                    throw RecurrentError.invalidOption(
                        "search can't try values of --\(Flags.flag(axis.option)); leave it out of --try")
                }
                return axis
            }, trials: trials
        ) { point in
            var configuration = try parser.configuration(options + point, locatesData: !reportOnly)
            configuration.tracking = TrackingConfiguration()
            return configuration
        }
    }
}
