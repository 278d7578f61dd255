import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentReproduction

struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Find settings: train every combination of some options' values.",
        discussion: """
            Options that all runs share come after --, as `train` takes them:

            cli search --try learning-rate=0.001,0.003 --try dropout=0,0.2 --output DIR -- --cell urnn --epochs 20

            Runs are ranked by the best validation loss, the mean over the seeds. Writes report.html, report.md, search.csv \
            and each run's folder. The same command again goes on where it stood, and runs nothing twice.
            """)

    @Option(name: .customLong("try"), help: ArgumentHelp(
        "An option of train and the values to try; may be repeated.", valueName: "option=value,value,…"))
    var axes: [String] = []
    @Option(help: "Try so many combinations, drawn at random (default: all).")
    var trials: Int?
    @Option(help: "Seeds, separated by commas; losses are means over them.")
    var seeds = "1"
    @Option(help: "Runs side by side; they share the processors.")
    var jobs = 1
    @Option(help: "Folder of the results.")
    var output: String
    @Flag(help: "Print nothing but errors and the ranking.")
    var quiet = false
    @Argument(parsing: .postTerminator, help: "Options of train for every run.")
    var options: [String] = []

    /// Options of train that the search gives itself.
    private static let own = [
        "--output", "--seed", "--threads", "--resume", "--from", "--overwrite", "--quiet", "--tensorboard", "--track-gradients", "--track-epochs",
    ]

    func run() throws {
        let search = try settings()
        let seeds = try ReproduceCommand.seeds(seeds)
        let metric = try search.experiments.map { try Self.check($0.options) }[0]
        let folder = try ResultsFolder(ResultsFolder.check(output: output, jobs: jobs))
        Interruption.install()
        let runner = folder.runner("runs", seeds: seeds, jobs: jobs, quiet: quiet)
        let isComplete = try runner.run(search.experiments)
        let records = try runner.records(search.experiments)
        let ranking = search.ranking(records)
        let section = search.section(ranking, metric: metric)
        let report = Report(
            title: "A search for settings", command: ["cli"] + arguments, machine: runner.machine,
            settings: [("Seeds", self.seeds)], sections: [section],
            missing: search.experiments.count * seeds.count - records.values.reduce(0) { $0 + $1.count })
        try report.write(into: folder.path)
        let table = section.tables[0]
        Terminal.print(Terminal.table(table.header, Array(table.rows.prefix(10))))
        if let best = ranking.first { Terminal.print("best: cli train \(Report.shell(best.experiment.options))") }
        Terminal.print("\(folder.path)/report.html")
        if !isComplete { throw ExitCode(130) }
    }

    /// As it can be given again.
    private var arguments: [String] {
        ["search"] + axes.flatMap { ["--try", $0] } + (trials.map { ["--trials", "\($0)"] } ?? [])
            + ["--seeds", seeds, "--jobs", "\(jobs)", "--output", output, "--"] + options
    }

    private func settings() throws -> SettingsSearch {
        guard !axes.isEmpty else {
            throw RecurrentError.invalidOption("--try names an option and its values, such as --try learning-rate=0.001,0.003")
        }
        guard trials ?? 1 >= 1 else { throw RecurrentError.invalidOption("--trials must be at least 1, not \(trials ?? 0)") }
        return try SettingsSearch(
            axes: try axes.map { text in
                guard let axis = SettingsSearch.Axis(text: text) else {
                    throw RecurrentError.invalidOption(
                        "--try takes an option and values, each once, such as learning-rate=0.001,0.003, not '\(text)'")
                }
                return axis
            }, common: options, trials: trials)
    }

    /// Whether `train` takes these options; and what it measures with them.
    private static func check(_ options: [String]) throws -> DatasetDescription.Metric {
        for option in options {
            let name = String(option.prefix { $0 != "=" })
            if own.contains(name) { throw RecurrentError.invalidOption("search sets \(name) itself; leave it out") }
        }
        let command: TrainCommand
        do {
            command = try TrainCommand.parse(options)
        } catch {
            throw RecurrentError.invalidOption("train doesn't take '\(Report.shell(options))': \(TrainCommand.message(for: error))")
        }
        return try TrainingRun(command.options.resolve(cell: command.cell)).model.data.metric
    }
}
