import RecurrentCore

/// What plug-ins are made from, besides their own options.
package struct PluginParts: Sendable {
    var activation: (any Activation)?
    var seed: UInt64 = 1
}

/// A registered plug-in without its type.
package struct Entry: Sendable {
    let kind: PluginKind
    package var name: String
    let summary: String
    package var options: [OptionDescription]
    /// Every option's value: those that are given, checked, and the others' defaults.
    let complete: @Sendable ([String: OptionValue]) throws -> [String: OptionValue]
    /// The same, with what the options leave to the surroundings.
    let resolve: @Sendable ([String: OptionValue]) throws -> [String: OptionValue]
    /// The names of options that no number depends on; paths are among them.
    let incidentalOptions: Set<String>
    /// The plug-in: a value of the kind's protocol.
    let make: @Sendable ([String: OptionValue], PluginParts) throws -> any Sendable

    // Of cells.
    var takesActivation = false
    var defaultActivation: String?
    // Of data sets.
    var adjust: @Sendable (inout RunDefaults) -> Void = { _ in }
    var hasTokenInputs = true
    var tokenForm = TokenForm.words
    // Of backends.
    var threadsOption: String?

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
