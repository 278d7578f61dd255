import BuiltInPlugins
import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns
import Testing

struct StudyTests {
    static func plan(_ scale: Scale) -> Plan {
        Plan(
            scale: scale, seeds: [1, 2], registry: .builtIn, corpus: "/corpus", corpusName: "none",
            corpusShown: "corpus", images: "/images"
        )
    }

    @Test func areThePapersTablesAndFigures() {
        #expect(
            Set(Studies.all.map(\.id))
                == Set(
                    (1...7).map { "table\($0)" } + (1...4).map { "figure\($0)" } + [
                        "table4-searched", "table5-searched", "table7-searched", "constraint", "field-search", "field",
                    ]))
    }

    /// Studies share runs by their names, so equal names must mean equal options.
    @Test(arguments: Scale.allCases) func namesTellExperimentsApart(_ scale: Scale) throws {
        var known: [String: Experiment] = [:]
        for experiment in Studies.all.flatMap({ $0.experiments(Self.plan(scale)) }) {
            #expect(known[experiment.id, default: experiment] == experiment)
            #expect(experiment.id.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" })
            known[experiment.id] = experiment
        }
        let bySettings = Dictionary(grouping: known.values) { try? $0.configuration.json() }
        #expect(bySettings.count == known.count, "\(bySettings.values.filter { $0.count > 1 }.map { $0.map(\.id) })")
        #expect(known.count == 122 + FieldModel.all.count * 7 + (scale == .smoke ? 1 : 3) * (15 * 2 + 7))
    }

    @Test func modelsOfTheFieldHaveOneBudget() throws {
        for model in FieldModel.all {
            let count = try model.freeParameters(.builtIn)
            #expect(abs(count - FieldModel.budget) <= FieldModel.budget / 40, "\(model.id): \(count)")
        }
    }

    @Test func epochsAreLimitedWhereARunCanGoOn() {
        var configuration = RunConfiguration()
        configuration.training.epochs = 200
        let constant = Experiment("a", configuration)
        #expect(constant.limited(to: 7).configuration.training.epochs == 7)
        #expect(constant.limited(to: 200) == constant && constant.limited(to: .max) == constant)
        configuration.schedule = "cosine"
        let falling = Experiment("b", configuration)
        #expect(falling.limited(to: 7) == falling)
    }

    /// Everything that experiments need exists, and none has an option without an effect.
    @Test(arguments: Scale.allCases) func everyExperimentCanBeRunAndShown(_ scale: Scale) throws {
        let registry = Registry.builtIn, parser = FlagParser(registry: registry)
        for experiment in Studies.all.flatMap({ $0.experiments(Self.plan(scale)) }) {
            let resolved = try registry.resolve(experiment.configuration, locatesData: false)
            let again = try parser.configuration(registry.arguments(resolved), locatesData: false)
            #expect(again == resolved, "\(experiment.id): \(resolved.changes(to: again))")
        }
    }

    /// A section can be written before any run, and its rows match its header.
    @Test(arguments: Scale.allCases) func sectionsStandWithoutRuns(_ scale: Scale) throws {
        let results = Results(plan: Self.plan(scale), records: [:]) { _ in throw RecurrentError.dataset("not to be run")
        }
        for study in Studies.all {
            let section = try study.section(results)
            #expect(section.id == study.id && !section.notes.isEmpty)
            for table in section.tables {
                #expect(table.rows.allSatisfy { $0.count == table.header.count }, "\(table.name)")
            }
        }
        let limits = try #require(try Studies.all[0].section(results).tables.first)
        #expect(limits.rows.allSatisfy { $0[2] == $0[3] })
    }
}

/// The commands of a report, as a shell reads them.
struct ReportCommandTests {
    @Test func aShellExpandsTheFoldersOfData() throws {
        let words = ["--data", "$MNIST_DIR", "--freeze", "encoder.*", "$PTB_DIR", "$5", "it's", "$HOME/x"]
        let shell = Process(), output = Pipe()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", "printf '%s\\n' \(Report.shell(words))"]
        shell.environment = ["MNIST_DIR": "/some where/digits", "PTB_DIR": "/corpus", "HOME": "/home"]
        shell.standardOutput = output
        try shell.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        shell.waitUntilExit()
        #expect(
            text.split(separator: "\n").map(String.init) == [
                "--data", "/some where/digits", "--freeze", "encoder.*", "/corpus", "$5", "it's", "$HOME/x",
            ])
    }
}
