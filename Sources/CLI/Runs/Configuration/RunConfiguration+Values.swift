import RecurrentCore

/// A section that every run has.
struct SectionAccess: Sendable {
    /// In help.
    let title: String
    let options: [OptionDescription]
    let values: @Sendable (RunConfiguration) -> [String: OptionValue]
    let set: @Sendable (inout RunConfiguration, String, OptionValue) throws -> Void

    init<Section: OptionSection>(_ title: String, _ path: any WritableKeyPath<RunConfiguration, Section> & Sendable) {
        self.title = title
        options = Section.options
        values = { $0[keyPath: path].optionValues }
        set = { try $0[keyPath: path].set($1, to: $2) }
    }

    static let all: [SectionAccess] = [
        SectionAccess("model", \.model), SectionAccess("training", \.training), SectionAccess("tracking", \.tracking),
        SectionAccess("general", \.general),
    ]
}

extension RunConfiguration {
    /// An option in which two configurations differ; a value that one doesn't have is nil.
    public struct Change: Sendable, Equatable {
        /// The option's name, or the kind of plug-in.
        public let name: String
        /// The value in the one configuration.
        public let old: OptionValue?
        /// The value in the other.
        public let new: OptionValue?
    }

    /// Every value by its option's name, and the names of plug-ins by their kinds. No two
    /// plug-ins of a run have an option of one name.
    public var values: [String: OptionValue] {
        var result: [String: OptionValue] = [:]
        for section in SectionAccess.all { result.merge(section.values(self)) { $1 } }
        for kind in PluginKind.allCases {
            guard let choice = self[kind] else { continue }
            result[kind.rawValue] = .text(choice.name)
            result.merge(choice.options) { $1 }
        }
        return result
    }

    /// The options in which another configuration differs, in the order of their names, but
    /// plug-ins first: another one has other options.
    /// Both must be resolved by one registry, so that every option has a value.
    public func changes(to other: RunConfiguration) -> [Change] {
        let old = values, new = other.values
        let kinds = PluginKind.allCases.map(\.rawValue)
        let names = kinds + Set(old.keys).union(new.keys).subtracting(kinds).sorted()
        return names.filter { old[$0] != new[$0] }.map { Change(name: $0, old: old[$0], new: new[$0]) }
    }

    /// The names of options that say where a run is computed, and where its data are: the
    /// bits of a run don't depend on them, or need not.
    package func places(_ registry: Registry) -> Set<String> {
        incidental(registry).union(["backend"]).union(backend.options.keys)
    }

    /// The names of options that no number depends on.
    package func incidental(_ registry: Registry) -> Set<String> {
        PluginKind.allCases.reduce(into: []) { names, kind in
            if let entry = self[kind].flatMap({ registry.entry(kind, $0.name) }) {
                names.formUnion(entry.incidentalOptions)
            }
        }
    }

    /// Checks that a run that began with this configuration can be resumed with another.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the first option that can't change.
    public func checkResumable(as wanted: RunConfiguration, registry: Registry) throws {
        let free = Set(SectionAccess.all.flatMap(\.options).filter(\.isResumable).map(\.name))
            .union(places(registry)).union(wanted.places(registry))
        for change in changes(to: wanted) where !free.contains(change.name) {
            throw RecurrentError.invalidOption(
                "`\(change.name)` can't change in a run that is resumed (it is \(change.old?.text ?? "not set")); leave it out, or start a new run"
            )
        }
    }

    /// Whether another configuration gives the same numbers: it differs only in options that
    /// none depends on, in what is measured on the side, and in those that are named.
    public func isSameRun(as other: RunConfiguration, except names: Set<String> = [], registry: Registry) -> Bool {
        differences(to: other, except: names, registry: registry).isEmpty
    }

    /// The options that make another configuration give other numbers.
    public func differences(to other: RunConfiguration, except names: Set<String> = [], registry: Registry) -> [Change]
    {
        var free = names.union(incidental(registry)).union(other.incidental(registry)).union(
            TrackingConfiguration.options.map(\.name))
        free.formUnion(idle(registry).intersection(other.idle(registry)))
        return changes(to: other).filter { !free.contains($0.name) }
    }

    /// The names of options that have a value and do nothing.
    private func idle(_ registry: Registry) -> Set<String> {
        let missing = missingConditions(registry)
        let options = SectionAccess.all.flatMap(\.options)
        return Set(options.filter { $0.condition.map(missing.contains) ?? false }.map(\.name))
    }

    /// What options may need and this run doesn't have.
    func missingConditions(_ registry: Registry) -> Set<OptionCondition> {
        var missing: Set<OptionCondition> = []
        if model.dropout == 0 { missing.insert(.dropout) }
        if !registry.hasTokenInputs(dataset.name) { missing.insert(.tokenInputs) }
        if let cell = try? registry.makeCell(self) {
            if !cell.hasOrthogonalWeight { missing.insert(.orthogonalWeight) }
            if !cell.hasFreeRecurrentWeight { missing.insert(.freeRecurrentWeight) }
        }
        return missing
    }
}
