import RecurrentCore

extension Registry {
    /// Replaces a plug-in of a configuration by another one of its kind, which has its default options.
    ///
    /// In a run that starts from the weights of another, it has that run's options as far as both plug-ins have them: all
    /// options of the cell, with the activation, as they say what the weights compute; of other plug-ins those that aren't
    /// the default of the one that is replaced, as the new one may have another for reasons of its own. Folders of data
    /// belong to their data set.
    ///
    /// - Parameters:
    ///   - kind: the kind of plug-in.
    ///   - name: the name of the new plug-in.
    ///   - configuration: the configuration to change, which needn't be resolved.
    /// - Throws: ``RecurrentCore/RecurrentError/unknownName(kind:name:known:)`` if the new plug-in isn't registered.
    func replace(_ kind: PluginKind, by name: String, in configuration: inout RunConfiguration) throws {
        let new = try find(kind, name), replaced = configuration[kind]
        var choice = PluginChoice(new.name)
        defer { configuration[kind] = choice }
        guard configuration.from != nil else {
            if kind == .cell { configuration.activation = nil }
            return
        }
        if kind == .cell, !new.takesActivation { configuration.activation = nil }
        // The plug-in of an older run may be one that isn't registered any more.
        guard let replaced, let old = entry(kind, replaced.name) else { return }
        for option in old.options where !option.kind.isPath && new.options.contains(where: { $0.name == option.name }) {
            guard let value = replaced[option.name], kind == .cell || value != option.standard else { continue }
            choice[option.name] = value
        }
    }
}
