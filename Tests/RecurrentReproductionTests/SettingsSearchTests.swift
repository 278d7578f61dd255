import RecurrentCore
import RecurrentReproduction
import RecurrentRuns
import Testing

struct SettingsSearchTests {
    private func search(_ axes: [SearchAxis], trials: Int? = nil, seed: UInt64 = 1) throws -> SettingsSearch {
        try SettingsSearch(axes: axes, trials: trials, seed: seed) { _ in RunConfiguration() }
    }

    @Test func axesAreRead() throws {
        let axis = try SearchAxis(text: "learning-rate=0.1, 1e-2")
        #expect(axis.option == "learning-rate" && axis.values == ["0.1", "1e-2"])
    }

    /// Each mistake is named.
    @Test(arguments: [
        ("", "not ''"), ("=", "takes an option"), ("a", "takes an option"), ("a=", "empty"), ("a=1,", "empty"),
        ("a=1,1", "names 1 twice"), ("a=0.1,1e-1", "0.1 and 1e-1 are the same number"), ("--a=1", "without its dashes"),
        ("a b=1", "takes an option"), ("=1", "takes an option"), ("a=1..", "'' isn't a number"),
        ("a=..1", "'' isn't a number"), ("a=2..1", "reversed; write 1..2"), ("a=1..1", "equal"),
        ("a=x..y", "'x' isn't a number"), ("a=1..2..3", "two ends"), ("a=0..inf", "'inf' isn't a number"),
    ])
    func mistakesInAnAxisAreNamed(text: String, says: String) {
        let error = #expect(throws: RecurrentError.self) { try SearchAxis(text: text) }
        #expect(error?.description.contains(says) == true, "\(String(describing: error))")
    }

    /// A point whose values don't fit together is left out with the reason; a mistake of all points is an error.
    @Test func pointsThatCantBeRunAreKeptApart() throws {
        let axes = try ["a=1,2", "b=1,2"].map { try SearchAxis(text: $0) }
        let search = try SettingsSearch(axes: axes) { flags in
            if flags == ["--a=1", "--b=2"] { throw RecurrentError.invalidOption("`a` is below `b`") }
            return RunConfiguration()
        }
        #expect(search.experiments.map(\.id) == ["a=1_b=1", "a=2_b=1", "a=2_b=2"])
        #expect(search.refused.map(\.point) == [["1", "2"]] && search.refused[0].reason == "`a` is below `b`")
        let ranking = search.ranking([:], failures: ["a=2_b=1": "no memory"])
        #expect(ranking.map(\.point) == [["2", "1"], ["1", "2"]] && ranking.allSatisfy { $0.loss == .infinity })
        let section = search.section(ranking, metric: .accuracy)
        #expect(section.tables[0].rows.map { $0[3] } == ["failed", "failed"])
        #expect(section.notes.contains("a=1 b=2 failed: --a is below --b."), "\(section.notes)")
        #expect(throws: RecurrentError.invalidOption("no")) {
            try SettingsSearch(axes: axes) { _ in throw RecurrentError.invalidOption("no") }
        }
    }

    @Test func allCombinationsInOrder() throws {
        let axes = try ["a=1,2", "b=x,y,z"].map { try SearchAxis(text: $0) }
        let search = try SettingsSearch(axes: axes) { flags in
            var configuration = RunConfiguration()
            configuration.from = flags.joined(separator: " ")
            return configuration
        }
        #expect(search.points == [["1", "x"], ["1", "y"], ["1", "z"], ["2", "x"], ["2", "y"], ["2", "z"]])
        #expect(search.experiments[3].configuration.from == "--a=2 --b=x")
        #expect(search.experiments[3].id == "a=2_b=x")
    }

    @Test func trialsAreDrawnWithoutReplacement() throws {
        let axes = try ["a=1,2,3,4,5", "b=1,2,3,4,5"].map { try SearchAxis(text: $0) }
        let first = try search(axes, trials: 10), second = try search(axes, trials: 10)
        #expect(first.points == second.points && Set(first.points).count == 10)
        #expect(try search(axes, trials: 10, seed: 2).points != first.points)
        #expect(try search(axes, trials: 25).points.count == 25)
        #expect(try search(axes, trials: 99).points.count == 25)
    }

    @Test(arguments: [
        ["a=1", "a=2"], (1...15).map { "o\($0)=1,2" }, ["a=\(String(repeating: "x", count: 250))"], ["a=1/2,1:2"],
    ])
    func whatCantBeSearchedIsRefused(_ texts: [String]) {
        #expect(throws: RecurrentError.self) {
            try search(try texts.map { try SearchAxis(text: $0) })
        }
    }

    /// More points than an Int can count must not cause a crash.
    @Test func overflowIsRefused() throws {
        let axes = try (1...64).map { try SearchAxis(text: "o\($0)=1,2,3") }
        #expect(throws: RecurrentError.self) { try search(axes, trials: 3) }
    }

    @Test func listsFlagsAndRangesAreAxes() throws {
        #expect(
            try SearchAxis(text: "dropout-on=embedding,output|logits").values == ["embedding,output", "logits"])
        #expect(try SearchAxis(text: "tied=true,false").values == ["true", "false"])
        #expect(try SearchAxis(text: "data=../a,../b").values == ["../a", "../b"])
        #expect(
            try SearchAxis(text: "LR=1").option == "learning-rate"
                && SearchAxis(text: "batch_size=1").option == "batch-size")
        let rate = try SearchAxis(text: "learning-rate=0.0001..0.01")
        let axes = [
            rate, try SearchAxis(text: "hidden-size=10..1000"),
            try SearchAxis(text: "dropout=0..0.5"),
        ]
        #expect(throws: RecurrentError.self) { try search(axes) }
        let long = try SearchAxis(text: "hidden-size=9000000000000000000..9223372036854775807")
        #expect(try search([long], trials: 3).points.allSatisfy { Int($0[0])! >= 9_000_000_000_000_000_000 })
        let points = try search(axes, trials: 400).points
        #expect(points.count == 400 && Set(points).count == 400)
        let rates = points.map { Double($0[0])! }.sorted(), sizes = points.map { Int($0[1])! }.sorted(),
            dropouts = points.map { Double($0[2])! }.sorted()
        #expect(rates.first! >= 0.0001 && rates.last! <= 0.01 && sizes.first! >= 10 && sizes.last! <= 1000)
        // The median on a logarithmic scale, and on a linear one.
        #expect(
            abs(rates[200] / 0.001 - 1) < 0.5 && abs(Double(sizes[200]) / 100 - 1) < 0.5
                && abs(dropouts[200] - 0.25) < 0.05)
        // More trials begin with the same points.
        #expect(try Array(points.prefix(10)) == search(axes, trials: 10).points)
    }

    @Test func halvingTrainsTheBetterHalfForLonger() {
        #expect(SuccessiveHalving(points: 8, epochs: 40).rounds == [5, 10, 20, 40])
        #expect(SuccessiveHalving(points: 5, epochs: 8).rounds == [1, 2, 4, 8])
        #expect(SuccessiveHalving(points: 100, epochs: 6).rounds == [1, 3, 6])
        #expect(SuccessiveHalving(points: 1, epochs: 6).rounds == [6])
        var falling = RunConfiguration(schedule: "cosine"), constant = RunConfiguration()
        (falling.training.epochs, constant.training.epochs) = (40, 40)
        let halving = SuccessiveHalving(points: 8, epochs: 40)
        #expect(halving.experiment(Experiment("a", falling), epochs: 5).id == "a_epochs=5")
        #expect(halving.experiment(Experiment("a", constant), epochs: 5).id == "a")
        #expect(halving.experiment(Experiment("a", constant), epochs: 5).configuration.training.epochs == 5)
    }
}
