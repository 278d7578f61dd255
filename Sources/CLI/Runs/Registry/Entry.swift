import RecurrentCore

/// The values that plug-ins are created from, besides their own options.
package struct PluginParts: Sendable {
    var activation: (any Activation)?
    var seed: UInt64 = 1
    /// For a corpus, the tokens of an existing model.
    var vocabulary: [String]?
    /// For a data set, the splits that will be used.
    var splits = Split.all
}

/// A registered plug-in, with its type erased.
package struct Entry: Sendable {
    let kind: PluginKind
    package var name: String
    let summary: String
    package var options: [OptionDescription]
    /// Checks the given options, and returns a value for every option.
    let complete: @Sendable ([String: OptionValue]) throws -> [String: OptionValue]
    /// Does the same, and also determines values that depend on the environment, such as the folders of data.
    let resolve: @Sendable ([String: OptionValue]) throws -> [String: OptionValue]
    /// The names of the options that don't affect any result, including all paths.
    let incidentalOptions: Set<String>
    /// Creates the plug-in, which conforms to the protocol of its kind.
    let make: @Sendable ([String: OptionValue], PluginParts) throws -> any Sendable

    /// What else `cli list` shows of the plug-in, with its default options.
    var details: String?

    // For cells:
    var takesActivation = false
    var defaultActivation: String?
    // For data sets:
    var adjust: @Sendable (inout RunDefaults) -> Void = { _ in }
    var hasTokenInputs = true
    var hasVocabulary = false
    var tokenForm = TokenForm.words
    // For backends:
    var threadsOption: String?
    /// The backend's option that chooses one of several devices.
    var deviceOption: String?

    package init<P: Plugin>(
        _ kind: PluginKind, _ type: P.Type, make: @escaping @Sendable (P.Options, PluginParts) throws -> any Sendable
    ) {
        self.kind = kind
        name = P.name
        summary = P.summary
        options = P.Options.options
        incidentalOptions = P.incidentalOptions.union(options.filter(\.kind.isPath).map(\.name))
        complete = { try P.Options(optionValues: $0).optionValues }
        resolve = { try P.resolve(P.Options(optionValues: $0)).optionValues }
        self.make = { try make(P.Options(optionValues: $0), $1) }
    }
}
