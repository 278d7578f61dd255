import RecurrentCore

/// The flags that a command accepts: those of some kinds of plug-ins, and some options of sections.
public struct FlagScope: Sendable {
    /// The kinds of plug-ins that can be chosen, with their options.
    package let kinds: [PluginKind]
    /// The kinds among them whose plug-ins the command itself chooses, so that only their options are flags.
    package let fixed: Set<PluginKind>
    /// The options of sections that can be given; nil for all.
    let options: Set<String>?
    /// Whether folders of data may be given, even if no data set can be chosen.
    let takesData: Bool
    /// What help says of the default of plug-ins that the command takes from elsewhere, by their kinds.
    let defaults: [PluginKind: String]
    /// Whether the only data sets that can be chosen are those with a vocabulary.
    let needsVocabulary: Bool
    /// Returns why another option is refused: “does nothing in evaluate, which takes the run as it is”.
    let refusal: @Sendable (String) -> String

    /// Creates the scope of a command.
    ///
    /// - Parameters:
    ///   - kinds: the kinds of plug-ins that can be chosen.
    ///   - fixed: the kinds among them whose plug-ins the command itself chooses.
    ///   - options: the options of sections that can be given; nil for all.
    ///   - takesData: whether folders of data may be given, even if no data set can be chosen.
    ///   - defaults: what help says of the default of plug-ins that the command takes from elsewhere.
    ///   - needsVocabulary: whether the only data sets that can be chosen are those with a vocabulary.
    ///   - refusal: returns why another option is refused; the message begins with its flag.
    public init(
        kinds: [PluginKind], fixed: Set<PluginKind> = [], options: Set<String>? = [], takesData: Bool = false,
        defaults: [PluginKind: String] = [:], needsVocabulary: Bool = false,
        refusal: @escaping @Sendable (String) -> String
    ) {
        self.kinds = kinds
        self.fixed = fixed
        self.options = options
        self.takesData = takesData
        self.defaults = defaults
        self.needsVocabulary = needsVocabulary
        self.refusal = refusal
    }

    /// The scope of `train`: every flag.
    public static let all = FlagScope(kinds: PluginKind.allCases, options: nil) { _ in "" }

    /// Returns whether an option is within the scope.
    func contains(_ option: String, registry: Registry) -> Bool {
        if options?.contains(option) ?? SectionAccess.all.contains(where: { $0.options.contains { $0.name == option } })
        {
            return true
        }
        if let kind = PluginKind(rawValue: option) { return kinds.contains(kind) && !fixed.contains(kind) }
        return registry.entries.contains { entry in
            guard let found = entry.options.first(where: { $0.name == option }) else { return false }
            return kinds.contains(entry.kind) || (takesData && entry.kind == .dataset && found.kind.isPath)
        }
    }
}

extension OptionKind {
    var isPath: Bool {
        switch self {
        case .path, .optional(.path): true
        default: false
        }
    }

    var isInteger: Bool {
        switch self {
        case .integer, .optional(.integer): true
        default: false
        }
    }
}
