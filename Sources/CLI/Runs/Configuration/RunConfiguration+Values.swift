import RecurrentCore

/// Type-erased access to a section of options that every run has.
struct SectionAccess: Sendable {
    /// The heading of the section in help.
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
    /// An option in which two configurations differ.
    public struct Change: Sendable, Equatable {
        /// The name of the option, or the kind of plug-in.
        public let name: String
        /// The value in the first configuration; nil if it has none.
        public let old: OptionValue?
        /// The value in the second configuration; nil if it has none.
        public let new: OptionValue?
    }

    /// The values of all options by their names, and the names of the plug-ins by their kinds.
    ///
    /// No two plug-ins of a run have options with the same name.
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

    /// Returns the options in which another configuration differs: first the plug-ins, because different plug-ins have
    /// different options, and then all others in the order of their names.
    ///
    /// The same registry must have resolved both configurations, so that every option has a value.
    public func changes(to other: RunConfiguration) -> [Change] {
        let old = values, new = other.values
        let kinds = PluginKind.allCases.map(\.rawValue)
        let names = kinds + Set(old.keys).union(new.keys).subtracting(kinds).sorted()
        return names.filter { old[$0] != new[$0] }.map { Change(name: $0, old: old[$0], new: new[$0]) }
    }

    /// Returns the names of the options that say on which backend a run is computed and where its data are.
    ///
    /// They don't change what is computed, except possibly for rounding.
    package func places(_ registry: Registry) -> Set<String> {
        incidental(registry).union(["backend"]).union(backend.options.keys)
    }

    /// Returns the names of the plug-ins' options that don't affect any result.
    package func incidental(_ registry: Registry) -> Set<String> {
        PluginKind.allCases.reduce(into: []) { names, kind in
            if let entry = self[kind].flatMap({ registry.entry(kind, $0.name) }) {
                names.formUnion(entry.incidentalOptions)
            }
        }
    }

    /// Checks that a run with this configuration can be resumed with another.
    ///
    /// - Parameters:
    ///   - wanted: the other configuration.
    ///   - names: the names of options that don't count.
    ///   - registry: the plug-ins.
    /// - Throws: ``RecurrentError/invalidOption(_:)``, naming the first changed option that must not change.
    public func checkResumable(as wanted: RunConfiguration, except names: Set<String> = [], registry: Registry) throws {
        guard let change = fixedChange(to: wanted, except: names, registry: registry) else { return }
        throw RecurrentError.invalidOption(
            "`\(change.name)` can't change in a run that is resumed (it is \(change.old?.text ?? "not set")); leave it out, or start a new run"
        )
    }

    /// Returns the first option in which another configuration differs and that can't change in a run that is resumed; nil
    /// if there is none.
    func fixedChange(to other: RunConfiguration, except names: Set<String> = [], registry: Registry) -> Change? {
        let free = names.union(
            (SectionAccess.all.flatMap(\.options) + registry.pluginOptions(self)).filter(\.isResumable).map(\.name)
        )
        .union(places(registry)).union(other.places(registry))
        return changes(to: other).first { !free.contains($0.name) }
    }

    /// Returns whether another configuration leads to the same results, apart from the named options.
    ///
    /// They may differ in options that don't affect results, in options that do nothing in either run, and in what is
    /// tracked.
    public func isSameRun(as other: RunConfiguration, except names: Set<String> = [], registry: Registry) -> Bool {
        differences(to: other, except: names, registry: registry).isEmpty
    }

    /// Returns the options, except for those named, in which another configuration differs in a way that may change the
    /// results.
    public func differences(to other: RunConfiguration, except names: Set<String> = [], registry: Registry) -> [Change]
    {
        var free = names.union(incidental(registry)).union(other.incidental(registry)).union(
            TrackingConfiguration.options.map(\.name))
        free.formUnion(idle(registry).intersection(other.idle(registry)))
        return changes(to: other).filter { !free.contains($0.name) }
    }

    /// Returns the names of the options that have a value but do nothing.
    private func idle(_ registry: Registry) -> Set<String> {
        Set((try? registry.idleReasons(in: self))?.keys.map(\.self) ?? [])
    }

    /// Returns the conditions on which options depend and that this run doesn't meet.
    func missingConditions(_ registry: Registry) -> Set<OptionCondition> {
        var missing: Set<OptionCondition> = []
        if model.dropout == 0 { missing.insert(.dropout) }
        if from != nil { missing.insert(.freshWeights) }
        if !registry.hasTokenInputs(dataset.name) { missing.insert(.tokenInputs) }
        if let cell = try? registry.makeCell(self) {
            if !cell.hasOrthogonalWeight { missing.insert(.orthogonalWeight) }
            if !cell.hasRecurrentWeight { missing.insert(.recurrentWeight) }
            if !cell.hasFreeRecurrentWeight { missing.insert(.freeRecurrentWeight) }
            if !cell.hasUndeterminedRecurrentWeight { missing.insert(.undeterminedRecurrentWeight) }
        }
        return missing
    }
}
