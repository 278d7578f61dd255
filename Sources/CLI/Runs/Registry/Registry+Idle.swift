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
        if let manifold = try? makeManifold(configuration), !manifold.traits.startsFromSkew {
            refuse(.skewInit, "the manifold update \(manifold.name), whose start doesn't depend on B")
        }
        if missing.contains(.freshWeights) { refuse(.skewInit, reason(.freshWeights, configuration)) }
        var byName = idleByName(configuration)
        if let reason = byName.removeValue(forKey: PluginKind.manifold.rawValue), missing.contains(.freshWeights),
            !missing.contains(.orthogonalWeight)
        {
            refuse(.manifold, reason)
        }
        reasons.merge(byName) { first, _ in first }
        for option in SectionAccess.all.flatMap(\.options) + pluginOptions(configuration) {
            // The first in the order of their declaration, so that the message is always the same.
            guard
                let condition = OptionCondition.allCases.first(where: option.conditions.intersection(missing).contains)
            else { continue }
            reasons[option.name] = reason(condition, configuration)
        }
        return reasons
    }

    /// Returns the options that `freeze` and `rate` leave without effect.
    private func idleByName(_ configuration: RunConfiguration) -> [String: String] {
        guard let cell = try? makeCell(configuration),
            var reasons = try? configuration.training.idleOptions(
                cell: cell, model: configuration.model, hasTokenInputs: hasTokenInputs(configuration.dataset.name))
        else { return [:] }
        // Rates of their own are multiplied by what the schedule makes of the learning rate.
        let rate = configuration.training.learningRate
        if (try? makeSchedule(configuration).isProportional(to: rate)) != true { reasons["learningRate"] = nil }
        return reasons
    }

    /// Returns the options of the plug-ins that a configuration names.
    func pluginOptions(_ configuration: RunConfiguration) -> [OptionDescription] {
        PluginKind.allCases.flatMap { kind in configuration[kind].flatMap { entry(kind, $0.name) }?.options ?? [] }
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

extension LearningRateSchedule {
    /// Whether the rates are multiples of the one that the schedule starts from, with factors that don't depend on it.
    fileprivate func isProportional(to rate: Double) -> Bool {
        let epochs = 1000
        return [1, 10, 100, epochs].allSatisfy { epoch in
            let factors = [rate, rate / 2].map { base in
                let moment = ScheduleMoment(
                    base: base, step: epoch - 1, epoch: epoch, totalSteps: epochs,
                    validationLosses: Array(repeating: 1, count: epoch - 1))
                return self.rate(at: moment) / base
            }
            return (factors[0] - factors[1]).magnitude <= 1e-9
        }
    }
}
