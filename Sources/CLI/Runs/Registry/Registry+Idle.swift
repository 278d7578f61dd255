import RecurrentCore

extension Registry {
    /// Returns the options that do nothing in a run, by their names, each with a description of the run that follows
    /// “does nothing for”, such as “the cell gru, which has no orthogonal weight”.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/unknownName(kind:name:known:)`` if the cell isn't registered.
    func idleReasons(in configuration: RunConfiguration) throws -> [String: String] {
        let missing = configuration.missingConditions(self)
        let cell = try find(.cell, configuration.cell.name)
        var reasons: [String: String] = [:]
        func refuse(_ kind: PluginKind, _ reason: String) {
            for option in [kind.rawValue] + plugins(kind).flatMap(\.options).map(\.name) { reasons[option] = reason }
        }
        if !cell.takesActivation {
            reasons[PluginKind.activation.rawValue] = "the cell \(cell.name), whose nonlinearity can't be chosen"
        }
        if missing.contains(.orthogonalWeight) {
            for kind in [PluginKind.manifold, .skewInit] { refuse(kind, reason(.orthogonalWeight, configuration)) }
        }
        if missing.contains(.freshWeights) { refuse(.skewInit, reason(.freshWeights, configuration)) }
        for option in SectionAccess.all.flatMap(\.options) {
            // The first in the order of their declaration, so that the message is always the same.
            guard
                let condition = OptionCondition.allCases.first(where: option.conditions.intersection(missing).contains)
            else { continue }
            reasons[option.name] = reason(condition, configuration)
        }
        return reasons
    }

    /// Returns a description of the run for the message about an option whose condition isn't met.
    private func reason(_ missing: OptionCondition, _ configuration: RunConfiguration) -> String {
        switch missing {
        case .orthogonalWeight: return "the cell \(configuration.cell.name), which has no orthogonal weight"
        case .recurrentWeight: return "the cell \(configuration.cell.name), which has no recurrent weight"
        case .freeRecurrentWeight:
            let hasNone = configuration.missingConditions(self).contains(.recurrentWeight)
            return hasNone
                ? reason(.recurrentWeight, configuration)
                : "the cell \(configuration.cell.name), whose recurrent weight is orthogonal"
        case .undeterminedRecurrentWeight:
            return "the cell \(configuration.cell.name), which has initial values of its own for its recurrent weights"
        case .dropout: return "a run without `dropout`"
        case .freshWeights: return "a run that starts from the weights of another"
        case .tokenInputs:
            let name = configuration.dataset.name
            let own = (entry(.dataset, name)?.options ?? []).map { "`\($0.name)`" }
            return "the data set \(name), whose inputs aren't tokens (it has \(own.joined(separator: ", ")))"
        }
    }

    /// Returns the options of all sections and plug-ins that have a name; several plug-ins may share one.
    package func options(named name: String) -> [OptionDescription] {
        (SectionAccess.all.flatMap(\.options) + entries.flatMap(\.options)).filter { $0.name == name }
    }
}
