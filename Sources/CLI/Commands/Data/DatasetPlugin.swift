import RecurrentCore

/// A data set, with what the commands have to know of it beforehand.
public struct DatasetPlugin: Sendable {
    public let plugin: Plugin<any Dataset>
    /// The options of data that it has a use for; the others are refused.
    public let options: Set<DataOption>
    /// What the tokens of a corpus are.
    public let tokens: TokenForm
    /// Changes the general defaults before the command line's options are applied.
    public let defaults: @Sendable (inout RunConfiguration) -> Void
    /// Its own options in a few words, for the line under a table of results.
    public let settings: @Sendable (RunConfiguration) -> String

    public init(
        _ name: String, _ summary: String, options: Set<DataOption> = Set(DataOption.allCases), tokens: TokenForm = .words,
        defaults: @escaping @Sendable (inout RunConfiguration) -> Void = { _ in },
        settings: @escaping @Sendable (RunConfiguration) -> String = { _ in "" },
        _ make: @escaping @Sendable (PluginContext) throws -> any Dataset
    ) {
        plugin = Plugin(name, summary, make)
        self.options = options
        self.tokens = tokens
        self.defaults = defaults
        self.settings = settings
    }

    /// The configuration of a run that says nothing but the data set's name.
    var standard: RunConfiguration {
        var result = RunConfiguration()
        result.dataset = plugin.name
        defaults(&result)
        return result
    }
}
