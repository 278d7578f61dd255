import BuiltInPlugins
import RecurrentCore
import RecurrentRuns
import Testing

/// How a registry handles outside plug-ins, and which it refuses.
struct RegistryTests {
    /// A cell with its own bounded number and choice.
    struct Leaky: RecurrentCell, Plugin {
        static let name = "leaky"
        static let summary = "h' = h + Δt (tanh(U x + W h) − h)"
        enum Gate: String, CaseIterable, Sendable { case none, input }
        struct Options: OptionSection {
            var timeStep = 0.5
            var gate = Gate.none
            static let fields: [OptionField<Self>] = [
                .number("timeStep", \.timeStep, .within(0...1), "Δt."), .choice("gate", \.gate, "What is gated."),
            ]
        }
        let options: Options
        init(options: Options) { self.options = options }
        var parameters: [CellParameter] { [.inputWeight("U"), .recurrentWeight("W")] }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            let h = states[0]
            return [h + options.timeStep * (tanh(p.U • x + p.W • h) - h)]
        }
    }

    private var registry: Registry {
        var registry = Registry.builtIn
        registry.add(Leaky.self)
        return registry
    }

    @Test func optionsReachThePlugin() throws {
        let parser = FlagParser(registry: registry)
        let configuration = try parser.configuration([
            "--cell", "Leaky", "--time-step", "0.25", "--gate=input", "--length", "5",
        ])
        let cell = try #require(try registry.makeCell(configuration) as? Leaky)
        #expect(cell.options.timeStep == 0.25 && cell.options.gate == .input)
        #expect(
            configuration.dataset["length"] == 5 && configuration.activation == nil && configuration.manifold == nil)
        #expect(
            try registry.arguments(configuration) == [
                "--dataset", "recall", "--cell", "leaky", "--time-step", "0.25", "--gate", "input", "--length", "5",
            ])
        let read = try registry.resolve(RunConfiguration(json: .init(configuration.json()), path: "config.json"))
        #expect(read == configuration)
        #expect(try registry.standard().cell.name == "urnn")
        for (flags, says) in [
            (["--cell", "leaky", "--time-step", "2"], "`timeStep` must be in 0...1, not 2"),
            (["--cell", "leaky", "--gate", "output"], "none or input"),
            (["--gate", "input"], "--cell leaky"), (["--cell", "leaky", "--activation", "relu"], "can't be chosen"),
            (["--cell", "leaky", "--time-stp", "0.5"], "--time-step?"),
        ] {
            let error = #expect(throws: RecurrentError.self) { try parser.configuration(flags) }
            #expect(error.map { "\($0)" }?.contains(says) == true, "\(flags): \(String(describing: error))")
        }
    }

    @Test func aConfigurationNamesUnknownOptions() throws {
        var configuration = RunConfiguration(cell: PluginChoice("leaky", ["timeStp": 0.5]))
        var error = #expect(throws: RecurrentError.self) { try registry.resolve(configuration) }
        #expect(error?.description == "the cell leaky: there is no option `timeStp`; did you mean 'timeStep'?")
        configuration.cell["timeStp"] = nil
        configuration.cell["timeStep"] = "often"
        error = #expect(throws: RecurrentError.self) { try registry.resolve(configuration) }
        #expect(error?.description == #"`timeStep` must be a number, not the text "often""#)
    }

    /// Returns a plug-in with one option, whose name and type each case chooses.
    private static func entry(
        _ kind: PluginKind, _ name: String, _ option: String, _ optionKind: OptionKind = .number(.finite)
    ) -> Entry {
        var entry = Entry(kind, Leaky.self) { options, _ in Leaky(options: options) }
        entry.name = name
        entry.options = [OptionDescription(name: option, help: "", kind: optionKind, standard: .null)]
        return entry
    }

    @Test func clashesAreFoundWhenTheRegistryIsMade() {
        let registry = registry
        func conflict(_ kind: PluginKind, _ name: String, _ option: String, _ optionKind: OptionKind = .number(.finite))
            -> String?
        {
            registry.conflict(adding: Self.entry(kind, name, option, optionKind))
        }
        // Only one plug-in of a kind takes part in a run, so both may have a length.
        #expect(conflict(.dataset, "new", "length") == nil && conflict(.cell, "new", "timeStep") == nil)
        #expect(conflict(.optimizer, "new", "length")?.contains("data set 'recall'") == true)
        #expect(conflict(.dataset, "new", "length", .flag)?.contains("takes a value in only one of them") == true)
        for option in ["epochs", "cell", "output", "lr", "name", "activation", "seed", "help"] {
            #expect(conflict(.optimizer, "new", option)?.contains("which every run has") == true, "\(option)")
        }
        #expect(conflict(.cell, "urnn", "x")?.contains("cell 'urnn' is registered twice") == true)
        for option in ["Time", "time-step", "", "Δt"] { #expect(conflict(.cell, "new", option) != nil, "\(option)") }
        for name in ["", "New", "a b", "a/b"] { #expect(conflict(.cell, name, "x") != nil, "\(name)") }
    }

    /// An option of a built-in plug-in is named in the plug-in's own file and nowhere else.
    @Test func everyOptionStandsInOnePlace() {
        for kind in PluginKind.allCases {
            for plugin in Registry.builtIn.plugins(kind) {
                #expect(Set(plugin.options.map(\.name)).count == plugin.options.count)
                for option in plugin.options { #expect(option.help.hasSuffix("."), "\(plugin.name) \(option.name)") }
            }
        }
    }
}
