import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns

struct ReproduceCommand: FlagCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce",
        abstract: "Repeat the paper's experiments, and compare the results with its numbers.",
        usage: "cli reproduce <what> … --output <folder> [options]",
        discussion: """
            Writes report.html, report.md, a CSV file per table and an SVG file per plot into --output, and each run into \
            a folder below it. The same command given again continues where it stopped, and runs nothing twice; given several times at \
            once, also on several hosts, the processes share the runs. Runs of several commands may share one --output; --report-only then makes one report of them all. If --output has runs.tar.gz instead of \
            the folder runs, it is read, or unpacked before anything is trained.

            <what> is one of table1 … table7 and figure1 … figure4; beyond the paper: table4-searched, table5-searched, \
            table7-searched, constraint, field-search, field; or all. The digits of field are the images in $MNIST_DIR.
            """)
    static let scope = FlagScope(kinds: [.backend]) { _ in
        "does nothing in reproduce, whose experiments have fixed options; leave it out"
    }

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var arguments: [String] = []
    @Option(
        help:
            "smoke (minutes; shows that it works), short (hours), or paper (its epochs, sizes and learning rates); or several, separated by commas."
    )
    var scale = "smoke"
    @Option(help: "Seeds, separated by commas; results are given as mean ± standard deviation.")
    var seeds = "1"
    @Option(
        help: ArgumentHelp(
            "Include only these models in tables 3 and 4, field and field-search, separated by commas: \(Studies.modelNames.joined(separator: ", ")) (default: all)."
        ))
    var models: String?
    @Option(
        help:
            "Largest number of epochs of each run, at most the scale's, which is the default; a later call with more continues the run. Runs whose learning rate decays over their epochs always train for all of them."
    )
    var epochs: Int?
    @Option(parsing: .unconditional, help: ResultsFolder.jobsHelp)
    var jobs = 1
    @Option(parsing: .unconditional, help: ResultsFolder.launcherHelp)
    var launcher: String?
    @Option(help: "Folder of the results.")
    var output: String
    @Option(
        help: "Folder of the Penn Treebank (default: $PTB_DIR; if that isn't set, a generated corpus at scale smoke).")
    var data: String?
    @Flag(help: "Train nothing: report on the existing runs, and leave out what has none.")
    var reportOnly = false
    @Flag(help: "Train without writing a report, so that gnuplot isn't needed; --report-only can write it elsewhere.")
    var noReport = false
    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func run() throws {
        if let epochs, epochs < 1 { throw RecurrentError.invalidOption("--epochs must be at least 1, not \(epochs)") }
        if reportOnly, noReport {
            throw RecurrentError.invalidOption("--report-only and --no-report leave nothing to do; leave one out")
        }
        let (flags, words) = try separated()
        let what = try words.map { try knownName($0, of: "table or figure", in: Studies.all.map(\.id) + ["all"]) }
        let studies = try wanted(what), backend = try Self.parser.configuration(flags, locatesData: false).backend
        let drafts = try plans(("-", reportOnly ? "the corpus that each run names" : "none", "-"))
        try checkModels(studies, drafts[0], isAll: what.contains("all"))
        try checkUse(studies, drafts[0], flags)
        func reads(_ folder: (Plan) -> String?) -> Bool {
            !reportOnly
                && drafts.contains { plan in
                    guard let folder = folder(plan) else { return false }
                    return studies.contains { study in
                        study.experiments(plan).contains { $0.configuration.dataset["data"] == .text(folder) }
                    }
                }
        }
        let needsCorpus = reads(\.corpus)
        if reads(\.images) { try checkImages() }
        let path = try ResultsFolder.check(output: output, jobs: jobs, hasPlots: !noReport)
        let launcher = try launcher.map { try Launcher($0) }
        let folderOfCorpus = try needsCorpus ? corpus(in: path) : nil
        let corpus = try folderOfCorpus.map { try Corpus(folder: $0.folder) }
        let plans = try folderOfCorpus.map { try self.plans(($0.folder, corpus!.name, $0.shown)) } ?? drafts
        if reportOnly { try ResultsFolder.checkHasRuns(path, as: output) }
        let machine = Machine(usesGPUs: backend.name != "cpu")
        Interruption.install()
        try ResultsFolder.use(path, readsOnly: reportOnly) { folder in
            var results: [Results] = [], missing = 0
            for plan in plans {
                var experiments: [Experiment] = []
                for experiment in studies.flatMap({ $0.experiments(plan) })
                where !experiments.contains(where: { $0.id == experiment.id }) {
                    var experiment = experiment.limited(to: epochs ?? .max)
                    experiment.configuration.backend = backend
                    experiments.append(experiment)
                }
                let runner = folder.runner(
                    "runs/\(plan.scale.rawValue)", seeds: plan.seeds, jobs: jobs, launcher: launcher, machine: machine,
                    corpus: corpus,
                    aliases: aliases(plan), addsEpochs: true, quiet: quiet)
                if !reportOnly, !Interruption.isRequested { _ = try runner.run(experiments) }
                let records = try runner.records(experiments)
                missing += Self.missing(studies, plan, records, onlyBegun: reportOnly)
                results.append(
                    Results(plan: Self.named(plan, records), records: records) {
                        try Self.output(of: ResultsFolder.executable, $0)
                    })
            }
            if noReport {
                if !quiet { Terminal.print("\(folder.path)/runs") }
            } else {
                try writeReport(
                    studies, results, command: command(what, flags), corpusOfDrafts: drafts[0].corpusName,
                    machine: machine, missing: missing,
                    into: folder.path)
            }
            if missing > 0, !reportOnly {
                if !quiet { Terminal.advise("interrupted; give the same command again to continue") }
                throw ExitCode(130)
            }
        }
    }

    private func writeReport(
        _ studies: [any Study], _ results: [Results], command: [String], corpusOfDrafts: String, machine: Machine,
        missing: Int, into folder: String
    ) throws {
        let names = results.map(\.plan.corpusName), known = names.filter { $0 != corpusOfDrafts }
        let corpora = (known.isEmpty ? names : known).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let report = Report(
            title: "uRNN: An Approach to Bounded Gradients, reproduced", command: command, machine: machine,
            settings: [("Scale", "\(scale), seeds \(seeds)"), ("Corpus", corpora.joined(separator: "; "))],
            sections: try studies.flatMap { try sections($0, results) }, missing: missing)
        try report.write(into: folder)
        if !quiet { Terminal.print("\(folder)/report.html") }
    }

    /// Returns the number of unfinished runs, either of all studies or only of those that have some finished runs.
    private static func missing(_ studies: [any Study], _ plan: Plan, _ records: [String: [RunRecord]], onlyBegun: Bool)
        -> Int
    {
        let names = studies.map { Set($0.experiments(plan).map(\.id)) }
        let wanted = names.filter { names in !onlyBegun || names.contains { records[$0]?.isEmpty == false } }
        return wanted.reduce(Set()) { $0.union($1) }.reduce(0) {
            $0 + plan.seeds.count - (records[$1]?.count { $0.isComplete } ?? 0)
        }
    }

    /// Returns the plan with the name of the corpus that the runs were trained on, if they record it.
    private static func named(_ plan: Plan, _ records: [String: [RunRecord]]) -> Plan {
        var plan = plan
        if let corpus = records.values.joined().lazy.compactMap(\.completion.corpus).first.flatMap(
            Corpus.init(recorded:))
        {
            plan.corpusName = corpus.name
        }
        return plan
    }

    /// Returns the sections of a study: one for every scale, or a single one if it trains nothing.
    private func sections(_ study: any Study, _ results: [Results]) throws -> [Section] {
        if study.experiments(results[0].plan).isEmpty { return [try study.section(results[0])] }
        return try results.compactMap { results in
            let section = try study.section(results)
            if reportOnly, section.records.isEmpty { return nil }
            return scale.contains(",") ? section.named(results.plan.scale) : section
        }
    }

    /// Returns the command line that repeats this command.
    private func command(_ what: [String], _ flags: [String]) -> [String] {
        ["cli", "reproduce"] + what + ["--scale", scale, "--seeds", seeds, "--jobs", "\(jobs)", "--output", output]
            + (models.map { ["--models", $0] } ?? []) + (epochs.map { ["--epochs", "\($0)"] } ?? [])
            + (data.map { ["--data", $0] } ?? []) + (launcher.map { ["--launcher", $0] } ?? []) + flags
            + (reportOnly ? ["--report-only"] : [])
    }

    /// Checks that the tables that were named include at least one of the chosen models.
    private func checkModels(_ studies: [any Study], _ plan: Plan, isAll: Bool) throws {
        guard let models, !isAll else { return }
        let unfiltered = plan.with(models: nil)
        for study in studies where study.experiments(plan).isEmpty && !study.experiments(unfiltered).isEmpty {
            throw RecurrentError.invalidOption(
                "\(study.id) has none of the models \(models); `reproduce --help` lists them")
        }
    }

    /// Checks that no option is ignored by all that is wanted.
    private func checkUse(_ studies: [any Study], _ plan: Plan, _ flags: [String]) throws {
        func names(_ plan: Plan) -> [[String]] { studies.map { $0.experiments(plan).map(\.id) } }
        let ids = studies.map(\.id).joined(separator: " and ")
        guard names(plan.with(models: nil)).contains(where: { !$0.isEmpty }) else {
            let given: [(name: String, isGiven: Bool)] = [
                ("--epochs", epochs != nil), ("--models", models != nil), ("--launcher", launcher != nil),
                ("--data", data != nil), ("--jobs", jobs != 1), ("--seeds", seeds != "1"),
                ("--report-only", reportOnly), ("--no-report", noReport),
            ]
            let unused = flags.first ?? given.first(where: \.isGiven)?.name
            guard let unused else { return }
            throw RecurrentError.invalidOption(
                "\(unused) does nothing here: \(ids) \(studies.count == 1 ? "is" : "are") computed, and nothing is trained; leave it out"
            )
        }
        if models != nil, names(plan.with(models: [])) == names(plan.with(models: nil)) {
            throw RecurrentError.invalidOption(
                "--models does nothing in \(ids), but in tables 3 and 4, field and field-search; leave it out")
        }
    }

    private func wanted(_ what: [String]) throws -> [any Study] {
        guard !what.isEmpty else { throw RecurrentError.invalidOption("name a table or figure, or all") }
        return what.contains("all") ? Studies.all : Studies.all.filter { what.contains($0.id) }
    }

    /// Returns a plan for each scale.
    private func plans(_ corpus: (folder: String, name: String, shown: String)) throws -> [Plan] {
        let scales = try ListText.elements(scale, of: "--scale").map { try Scale(named: $0) }
        guard Set(scales).count == scales.count else {
            throw RecurrentError.invalidOption("--scale names a scale twice: \(scale)")
        }
        let chosen = try models.map { list in
            Set(
                try ListText.elements(list, of: "--models").map {
                    try knownName($0, of: "model", in: Studies.modelNames)
                })
        }
        let seeds = try Self.seeds(seeds)
        return scales.map {
            Plan(
                scale: $0, seeds: seeds, registry: .current, corpus: corpus.folder, corpusName: corpus.name,
                corpusShown: corpus.shown, images: images, models: chosen)
        }
    }

    /// Returns the seeds in text such as "1,2,3".
    static func seeds(_ text: String) throws -> [UInt64] {
        let numbers = try ListText.elements(text, of: "--seeds").map { number -> UInt64 in
            guard let seed = UInt64(number) else {
                throw RecurrentError.invalidOption(
                    "--seeds must be numbers separated by commas, such as 1,2,3, not '\(text)'")
            }
            return seed
        }
        guard Set(numbers).count == numbers.count else {
            throw RecurrentError.invalidOption("--seeds names a seed twice: \(text)")
        }
        return numbers
    }

    private static func output(of executable: String, _ arguments: [String]) throws -> String {
        let (ending, text, complaint) = try ChildProcess.run(executable, arguments)
        guard ending == .exit(0) else {
            throw RecurrentError.file(
                path: arguments.joined(separator: " "),
                reason: complaint.split(separator: "\n").last.map(String.init) ?? "failed")
        }
        return text.trimmingCharacters(in: .newlines)
    }
}
