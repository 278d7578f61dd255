import RecurrentCore

/// Which flags a command takes: those of some kinds of plug-ins, and of some sections.
public struct FlagScope: Sendable {
    /// The kinds of plug-ins that can be chosen, with their options.
    package let kinds: [PluginKind]
    /// The kinds among them whose plug-ins the command itself chooses: only their options are flags.
    package let fixed: Set<PluginKind>
    /// The options of sections; nil for all.
    let options: Set<String>?
    /// Whether folders of data may be given.
    let takesData: Bool
    /// Why another option is refused: “does nothing in evaluate, which takes the run as it is”.
    let refusal: @Sendable (String) -> String

    /// - Parameters:
    ///   - kinds: the kinds of plug-ins that can be chosen.
    ///   - fixed: the kinds among them that the command itself chooses.
    ///   - options: the options of sections; nil for all.
    ///   - takesData: whether folders of data may be given where no data set can be chosen.
    ///   - refusal: what is said of another option, after its flag.
    public init(
        kinds: [PluginKind], fixed: Set<PluginKind> = [], options: Set<String>? = [], takesData: Bool = false,
        refusal: @escaping @Sendable (String) -> String
    ) {
        self.kinds = kinds
        self.fixed = fixed
        self.options = options
        self.takesData = takesData
        self.refusal = refusal
    }

    /// Every flag of `train`.
    public static let all = FlagScope(kinds: PluginKind.allCases, options: nil) { _ in "" }

    /// Whether an option is within the scope.
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
}
