import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns

struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Search for settings: train with combinations of the values of some options.",
        usage: "cli search --try <option=values> … --output <folder> [-- <train options>]",
        discussion: """
            Options that all runs share come after --, as `train` takes them:

            cli search --try lr=0.001,0.003 --try dropout=0,0.2 --output DIR -- --epochs 20

            Any option of train can be tried, including those of plug-ins, and flags (tied=true,false). Values that are \
            lists have commas themselves, and so | between them, in quotes ('dropout-on=embedding,output|logits'). A range \
            (learning-rate=0.0001..0.01) is drawn from --trials times, uniformly in the logarithm if both ends are above 0.

            Runs are ranked by their best validation loss, averaged over the seeds. A point that can't be run, or whose run \
            fails, is listed last, and the others go on. Writes report.html, report.md, search.csv and each run's folder. \
            The same command given again continues where it stopped: it runs nothing twice, but tries again what failed; given several \
            times at once, also on several hosts, the processes share the runs. If --output has runs.tar.gz \
            instead of the folder runs, it is unpacked first.
            """)

    @Option(
        name: .customLong("try"),
        help: ArgumentHelp(
            "An option of train and the values to try, or a range; may be repeated.", valueName: "option=value,value,…")
    )
    var axes: [String] = []
    @Option(parsing: .unconditional, help: "Try this many points, drawn at random (default: all combinations).")
    var trials: Int?
    @Flag(help: "Successive halving: a few epochs for all points, twice as many for the better half, and so on.")
    var halving = false
    @Option(help: "Seeds, separated by commas; losses are averaged over them.")
    var seeds = "1"
    @Option(parsing: .unconditional, help: ResultsFolder.jobsHelp)
    var jobs = 1
    @Option(parsing: .unconditional, help: ResultsFolder.launcherHelp)
    var launcher: String?
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
        // Building a run finds mistakes that every run has before any of them is started.
        let metric = reportOnly ? nil : try firstMetric(search)
        if !quiet {
            for (point, reason) in search.refused {
                Terminal.print("\(search.label(of: point)) can't be run: \(Flags.translate(reason))")
            }
        }
        let path = try ResultsFolder.check(output: output, jobs: jobs)
        let launcher = try launcher.map { try Launcher($0) }
        if reportOnly { try ResultsFolder.checkHasRuns(path, as: output) }
        Interruption.install()
        try ResultsFolder.use(path, readsOnly: reportOnly) { folder in
            let runner = folder.runner(
                "runs", seeds: seeds, jobs: jobs, launcher: launcher, addsEpochs: halving, quiet: quiet)
            let found = try train(search, runner)
            guard let metric = try metric ?? recorded(found.records, search) else {
                throw RecurrentError.file(
                    path: output,
                    reason: runner.hasBegun(search.experiments + (halving ? firstRound(search) : []))
                        ? "no run of this search is finished yet; leave out --report-only to continue it"
                        : "has no runs of this search; give the options with which it was made")
            }
            try write(search, found, metric, seeds: seeds.count, machine: runner.machine, into: path)
            if !found.isComplete {
                if !quiet { Terminal.advise("interrupted; give the same command again to continue") }
                throw ExitCode(130)
            }
        }
    }

    /// What the runs of a search have given.
    private struct Found {
        /// The runs with the most epochs of each experiment, by its name.
        var records: [String: [RunRecord]] = [:]
        /// Why a run of an experiment failed, by its name.
        var failures: [String: String] = [:]
        /// The number of runs that failed.
        var failedRuns = 0
        /// Whether all runs have ended.
        var isComplete = true
    }

    /// Returns the kind of metric of the runs, by building the first one that can be built.
    private func firstMetric(_ search: SettingsSearch) throws -> DatasetDescription.Metric {
        var failure: (any Error)?
        for experiment in search.experiments {
            do { return try Run(experiment.configuration, registry: .current).model.data.metric } catch {
                failure = failure ?? error
            }
        }
        throw failure!
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
        _ search: SettingsSearch, _ found: Found, _ metric: DatasetDescription.Metric, seeds count: Int,
        machine: Machine, into folder: String
    ) throws {
        let ranking = search.ranking(found.records, failures: found.failures)
        let missing =
            search.experiments.count * count - found.records.values.reduce(0) { $0 + $1.count } - found.failedRuns
        let section = search.section(ranking, metric: metric)
        let report = Report(
            title: "A search for settings", command: ["cli"] + arguments, machine: machine,
            settings: [("Seeds", seeds)], sections: [section], missing: missing)
        try report.write(into: folder)
        let table = section.tables[0]
        if !ranking.isEmpty { Terminal.print(Terminal.table(table.header, Array(table.rows.prefix(10)))) }
        if let best = ranking.first, best.loss.isFinite, let experiment = best.experiment {
            let flags = try Registry.current.arguments(
                Registry.current.resolve(experiment.configuration, locatesData: false), without: ["seed"])
            Terminal.print("best: cli train \(Report.shell(flags))")
        }
        let failed = ranking.count { $0.failure != nil }
        if failed > 0 { Terminal.print("\(failed) of \(ranking.count) points failed; the report says why") }
        Terminal.print("\(folder)/report.html")
        if let best = ranking.first, !best.loss.isFinite, missing == 0 {
            throw RecurrentError.file(
                path: folder,
                reason: best.failure.map { "no run of this search finished: \($0)" }
                    ?? "every run of this search \(failed > 0 ? "failed or " : "")diverged; try lower learning rates, or --clip-norm"
            )
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

    /// Trains the experiments, unless only a report is wanted.
    private func train(_ search: SettingsSearch, _ runner: Runner) throws -> Found {
        var found = Found()
        func run(_ experiments: [Experiment], for planned: [Experiment], isRound: Bool = false) throws -> Bool {
            let names = Dictionary(zip(experiments, planned).map { ($0.id, $1.id) }) { $1 }
            let isComplete = try reportOnly || runner.run(experiments, outlivesFailures: true, isRound: isRound)
            for (id, reasons) in try runner.failures(experiments) {
                found.failures[names[id]!] = reasons[0]
                found.failedRuns += reasons.count
            }
            let records = try runner.records(experiments, isRound: isRound)
            for (planned, trained) in zip(planned, experiments) where isComplete || !halving {
                found.records[planned.id] = records[trained.id]
            }
            return isComplete
        }
        guard halving else {
            found.isComplete = try run(search.experiments, for: search.experiments)
            return found
        }
        let rounds = Self.rounds(search)
        var left = search.experiments
        for epochs in rounds.rounds {
            // Another process may be ahead of this one by a round.
            let trained = left.map { rounds.experiment($0, epochs: epochs) }
            guard try run(trained, for: left, isRound: epochs < rounds.rounds.last!) else {
                found.isComplete = false
                break
            }
            let records = found.records.filter { id, _ in left.contains { $0.id == id } }
            let ranking = search.ranking(records, failures: found.failures, isRound: true)
            let better = rounds.better(ranking.filter { $0.failure == nil })
            left = left.filter { planned in better.contains { $0.point == search.point(of: planned) } }
        }
        return found
    }

    /// The arguments that repeat this command.
    private var arguments: [String] {
        var words = ["search"] + axes.flatMap { ["--try", $0] }
        if let trials { words += ["--trials", "\(trials)"] }
        if halving { words.append("--halving") }
        words += ["--seeds", seeds, "--jobs", "\(jobs)", "--output", output]
        if let launcher { words += ["--launcher", launcher] }
        if reportOnly { words.append("--report-only") }
        return words + ["--"] + options
    }
}
