import RecurrentCore

/// The plug-ins from which runs can be built, added with one line each:
///
///     var registry = Registry.builtIn
///     registry.add(CoRNN.self)
///
/// Names, summaries and options come from the types.
public struct Registry: Sendable {
    private(set) var entries: [Entry] = []
    /// The data sets that `cli data` can download.
    public private(set) var downloads: [DownloadSource] = []
    /// The communicators by which several processes can train together.
    public private(set) var communicators: [any CommunicatorPlugin.Type] = []

    /// Creates a registry without plug-ins.
    public init() {}

    /// Adds a cell whose activation can be chosen.
    public mutating func add<C: ActivatedCell>(_ type: C.Type) {
        var entry = Entry(.cell, type) { options, parts in
            if let activation = parts.activation { return try C(options: options, activation: activation) }
            return try C(options: options)
        }
        entry.defaultActivation = C.defaultActivation.name
        entry.takesActivation = true
        add(entry)
    }
    /// Adds a cell.
    public mutating func add<C: RecurrentCell & Plugin>(_ type: C.Type) {
        add(Entry(.cell, type) { options, _ in try C(options: options) })
    }
    /// Adds an activation.
    public mutating func add<A: Activation & Plugin>(_ type: A.Type) {
        add(Entry(.activation, type) { options, _ in try A(options: options) })
    }
    /// Adds a data set.
    public mutating func add<D: DatasetPlugin>(_ type: D.Type) {
        var entry = Entry(.dataset, type) { options, parts in
            guard let vocabulary = parts.vocabulary, let corpus = D.self as? any VocabularyProviding.Type else {
                return try D(options: options, seed: parts.seed, splits: parts.splits)
            }
            func open<C: VocabularyProviding>(_: C.Type) throws -> any Sendable {
                try C(
                    options: options as! C.Options, seed: parts.seed, vocabulary: vocabulary, splits: parts.splits)
            }
            return try open(corpus)
        }
        entry.adjust = D.adjust
        entry.hasTokenInputs = D.hasTokenInputs
        entry.hasVocabulary = D.self is any VocabularyProviding.Type
        entry.tokenForm = (D.self as? any VocabularyProviding.Type)?.tokenForm ?? .words
        add(entry)
    }
    /// Adds an optimizer.
    public mutating func add<O: Optimizer & Plugin>(_ type: O.Type) {
        add(Entry(.optimizer, type) { options, _ in try O(options: options) })
    }
    /// Adds a learning-rate schedule.
    public mutating func add<S: LearningRateSchedule & Plugin>(_ type: S.Type) {
        add(Entry(.schedule, type) { options, _ in try S(options: options) })
    }
    /// Adds a manifold update.
    public mutating func add<M: ManifoldUpdate & Plugin>(_ type: M.Type) {
        var entry = Entry(.manifold, type) { options, _ in try M(options: options) }
        entry.details = (try? M(options: M.Options()))?.traits.text
        add(entry)
    }
    /// Adds an initialization of B.
    public mutating func add<S: SkewInitialization & Plugin>(_ type: S.Type) {
        add(Entry(.skewInit, type) { options, _ in try S(options: options) })
    }
    /// Adds a backend.
    public mutating func add<B: BackendPlugin>(_ type: B.Type) {
        var entry = Entry(.backend, type) { options, _ in try B(options: options) }
        entry.threadsOption = B.threadsOption
        entry.deviceOption = B.deviceOption
        add(entry)
    }
    /// Adds a communicator, which a program takes part in if its launcher has started several copies of it.
    public mutating func add(_ type: any CommunicatorPlugin.Type) { communicators.append(type) }
    /// Adds a data set that can be downloaded, replacing one with the same name.
    public mutating func add(_ source: DownloadSource) {
        downloads.removeAll { $0.name == source.name }
        downloads.append(source)
    }

    /// Adds an entry. A conflict is a programming error, so it ends the program with a message.
    private mutating func add(_ entry: Entry) {
        if let conflict = conflict(adding: entry) { fatalError("Registry.add: \(conflict)") }
        entries.append(entry)
    }

    /// The description of a plug-in for lists.
    public struct Description: Sendable {
        /// The kind of the plug-in.
        public let kind: PluginKind
        /// The name on the command line and in `config.json`.
        public let name: String
        /// A summary in one line.
        public let summary: String
        /// The plug-in's options, in the order of help.
        public let options: [OptionDescription]
        /// What else is known of it with its default options, such as which weights a manifold update is for; nil if nothing.
        public let details: String?
    }

    /// Returns the plug-ins of a kind, in the order in which they were added.
    public func plugins(_ kind: PluginKind) -> [Description] {
        entries.filter { $0.kind == kind }.map {
            Description(kind: kind, name: $0.name, summary: $0.summary, options: $0.options, details: $0.details)
        }
    }
    /// Returns the names of the plug-ins of a kind, in the order in which they were added.
    public func names(_ kind: PluginKind) -> [String] {
        entries.indices.filter { entries[$0].kind == kind }.map { entries[$0].name }
    }

    func entry(_ kind: PluginKind, _ name: String) -> Entry? {
        // By index, because an entry has so many fields that copying each on the way takes long.
        let index =
            entries.indices.first { entries[$0].kind == kind && entries[$0].name == name }
            ?? entries.indices.first {
                entries[$0].kind == kind && entries[$0].name.lowercased() == name.lowercased()
            }
        return index.map { entries[$0] }
    }

    /// Returns the plug-in with a name.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/unknownName(kind:name:known:)`` if it isn't registered.
    func find(_ kind: PluginKind, _ name: String) throws -> Entry {
        guard let entry = entry(kind, name) else {
            throw RecurrentError.unknownName(kind: kind.label, name: name, known: names(kind))
        }
        return entry
    }

    /// Returns whether the tokens of a data set are words or characters; words if it isn't registered.
    public func tokenForm(of dataset: String) -> TokenForm { entry(.dataset, dataset)?.tokenForm ?? .words }
}

extension Registry {
    /// Returns whether the tokens of a data set stand for words or characters; false if it isn't registered.
    public func hasVocabulary(_ dataset: String) -> Bool { entry(.dataset, dataset)?.hasVocabulary ?? false }

    /// Returns whether the inputs of a data set are tokens; true if it isn't registered.
    public func hasTokenInputs(_ dataset: String) -> Bool { entry(.dataset, dataset)?.hasTokenInputs ?? true }
}
