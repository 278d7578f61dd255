import RecurrentCore

extension Registry {
    /// Returns the name of the default plug-in of a kind.
    func standardName(_ kind: PluginKind) -> String {
        let names = names(kind)
        return kind.standardName.flatMap { names.contains($0) ? $0 : nil } ?? names.first ?? kind.standardName ?? ""
    }

    /// Returns the default configuration for a data set.
    ///
    /// - Parameter dataset: the name of the data set; nil for the default one.
    /// - Throws: ``RecurrentCore/RecurrentError/unknownName(kind:name:known:)`` if it isn't registered.
    public func standard(dataset: String? = nil) throws -> RunConfiguration {
        let entry = try find(.dataset, dataset ?? standardName(.dataset))
        var defaults = RunDefaults()
        entry.adjust(&defaults)
        func choice(_ kind: PluginKind) -> PluginChoice { PluginChoice(standardName(kind)) }
        var result = RunConfiguration(
            cell: choice(.cell), dataset: PluginChoice(entry.name), optimizer: choice(.optimizer),
            schedule: choice(.schedule),
            backend: choice(.backend))
        result.model = defaults.model
        result.training = defaults.training
        result.skewInit = defaults.skewInitialization.map { PluginChoice($0) }
        return result
    }

    /// Returns a configuration with a value for every option.
    ///
    /// Plug-ins have the names under which they are registered, the cell's default activation is filled in, and what the
    /// cell or the manifold update doesn't use is removed.
    ///
    /// - Parameters:
    ///   - configuration: the configuration to complete.
    ///   - locatesData: whether folders of data are searched for; otherwise they stay as given.
    /// - Throws: ``RecurrentCore/RecurrentError``, naming the wrong option, or the plug-in that isn't registered.
    public func resolve(_ configuration: RunConfiguration, locatesData: Bool = true) throws -> RunConfiguration {
        try resolve(configuration, locatesData: locatesData, needing: Set(PluginKind.allCases))
    }

    /// Returns a configuration with a value for every option of the plug-ins that are registered.
    ///
    /// - Parameter kinds: the kinds of which the plug-in must be registered, besides the cell and its activation; others
    ///   stay as they are if they aren't.
    func resolve(_ configuration: RunConfiguration, locatesData: Bool, needing kinds: Set<PluginKind>) throws
        -> RunConfiguration
    {
        var result = configuration
        func complete(_ kind: PluginKind, _ choice: PluginChoice) throws -> PluginChoice {
            if !kinds.contains(kind), entry(kind, choice.name) == nil { return choice }
            let entry = try find(kind, choice.name)
            let names = entry.options.map(\.name)
            if let stranger = choice.options.keys.filter({ !names.contains($0) }).min() {
                throw RecurrentError.invalidOption(
                    "the \(kind.label) \(entry.name): there is no option `\(stranger.excerpt)`"
                        + (ConfigurationFile.place(of: stranger, isNested: true)
                            ?? Suggestion.text(stranger, in: names)))
            }
            return PluginChoice(
                entry.name, try (kind == .dataset && locatesData ? entry.resolve : entry.complete)(choice.options))
        }
        let kinds = kinds.union([.cell, .activation]), cellEntry = try find(.cell, configuration.cell.name)
        result.cell = try complete(.cell, configuration.cell)
        let own = cellEntry.defaultActivation.flatMap { entry(.activation, $0) }.map { PluginChoice($0.name) }
        result.activation =
            cellEntry.takesActivation
            ? try (configuration.activation ?? own).map { try complete(.activation, $0) } : nil
        for kind in [PluginKind.optimizer, .schedule, .backend] { result[kind] = try complete(kind, result[kind]!) }
        if locatesData || entry(.dataset, configuration.dataset.name) != nil {
            result.dataset = try complete(.dataset, configuration.dataset)
        }
        if try makeCell(result).hasOrthogonalWeight {
            for kind in [PluginKind.manifold, .skewInit] {
                result[kind] = try complete(kind, configuration[kind] ?? PluginChoice(standardName(kind)))
            }
            if let manifold = try? makeManifold(result), !manifold.traits.startsFromSkew { result.skewInit = nil }
        } else {
            result.manifold = nil
            result.skewInit = nil
            result.training.manifoldLearningRate = nil
        }
        try result.general.check()
        try result.model.check()
        try result.training.check()
        try result.tracking.check()
        try result.model.checkTies(to: makeCell(result))
        if entry(.dataset, result.dataset.name) != nil {
            try result.training.checkNames(
                cell: makeCell(result), model: result.model, hasTokenInputs: hasTokenInputs(result.dataset.name))
        }
        if kinds.contains(.schedule) { try makeSchedule(result).check(learningRate: result.training.learningRate) }
        return result
    }

    /// Returns the name of the option for the number of threads of a backend; nil if it has none.
    public func threadsOption(of backend: String) -> String? { entry(.backend, backend)?.threadsOption }

    private func make<Product>(_ kind: PluginKind, _ choice: PluginChoice, _ parts: PluginParts = PluginParts()) throws
        -> Product
    {
        try find(kind, choice.name).make(choice.options, parts) as! Product
    }

    /// Creates the cell of a configuration, with its activation.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError`` if the cell or activation isn't registered, or an option is wrong.
    public func makeCell(_ configuration: RunConfiguration) throws -> any RecurrentCell {
        let activation: (any Activation)? = try configuration.activation.map { try make(.activation, $0) }
        return try make(.cell, configuration.cell, PluginParts(activation: activation))
    }
    /// Creates the data set of a configuration.
    ///
    /// - Parameters:
    ///   - configuration: the configuration, with the data set's options.
    ///   - vocabulary: the tokens of an existing model, against which a corpus is read; nil for its own. A data set
    ///     without a vocabulary ignores it.
    ///   - splits: the splits that will be used; the files of the others may be missing.
    /// - Throws: ``RecurrentCore/RecurrentError`` if its data can't be read, or has a word that isn't in the vocabulary,
    ///   which has no `<unk>` either.
    public func makeDataset(
        _ configuration: RunConfiguration, vocabulary: [String]? = nil, splits: Set<Split> = Split.all
    ) throws -> any Dataset {
        try make(
            .dataset, configuration.dataset,
            PluginParts(seed: configuration.seed, vocabulary: vocabulary, splits: splits))
    }
    /// Creates the optimizer of a configuration.
    public func makeOptimizer(_ configuration: RunConfiguration) throws -> any Optimizer {
        try make(.optimizer, configuration.optimizer)
    }
    /// Creates the learning-rate schedule of a configuration.
    public func makeSchedule(_ configuration: RunConfiguration) throws -> any LearningRateSchedule {
        try make(.schedule, configuration.schedule)
    }
    /// Creates the manifold update of a configuration, or the default one.
    public func makeManifold(_ configuration: RunConfiguration) throws -> any ManifoldUpdate {
        try make(.manifold, configuration.manifold ?? PluginChoice(standardName(.manifold)))
    }
    /// Creates the initialization of B of a configuration, or the default one.
    public func makeSkewInitialization(_ configuration: RunConfiguration) throws -> any SkewInitialization {
        try make(.skewInit, configuration.skewInit ?? PluginChoice(standardName(.skewInit)))
    }
    /// Creates the backend of a configuration.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/backend(_:)`` if its device isn't available.
    public func makeBackend(_ configuration: RunConfiguration) throws -> any Backend {
        try make(.backend, shared(configuration.backend))
    }

    /// Returns a backend with its part of what the processes of a machine share: a device of its own, or some of the
    /// processors, unless a number of threads was given.
    private func shared(_ choice: PluginChoice) -> PluginChoice {
        let communicator = ProcessGroup.communicator
        guard communicator.size > 1, let entry = entry(.backend, choice.name) else { return choice }
        var choice = choice
        if let option = entry.deviceOption, case .integer(let first)? = choice[option] {
            choice[option] = .integer(first + communicator.localRank)
        }
        if let option = entry.threadsOption, choice[option] == nil || choice[option] == .null {
            choice[option] = .integer(Processors.available(sharedBy: communicator.localSize))
        }
        return choice
    }
}

extension RecurrentCell {
    /// Whether at least one of the cell's weights is kept orthogonal or unitary.
    public var hasOrthogonalWeight: Bool { parameters.contains { $0.constraint.isOnManifold } }
    /// Whether the cell has a recurrent weight.
    public var hasRecurrentWeight: Bool { parameters.contains { $0.kind == .recurrentWeight } }
    /// Whether at least one of the cell's recurrent weights isn't constrained to be orthogonal or unitary.
    public var hasFreeRecurrentWeight: Bool {
        parameters.contains { $0.kind == .recurrentWeight && !$0.constraint.isOnManifold }
    }
    /// Whether at least one of these weights has no initial values of its own, so that a run chooses them.
    public var hasUndeterminedRecurrentWeight: Bool {
        parameters.contains {
            $0.kind == .recurrentWeight && !$0.constraint.isOnManifold && $0.initialization == nil
        }
    }
}
