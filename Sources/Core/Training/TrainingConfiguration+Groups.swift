extension TrainingConfiguration {
    /// The groups of parameters that ``freeze`` and ``rate`` describe.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if one of them can't be read.
    func parameterGroups() throws -> [ParameterGroup] {
        var groups: [ParameterGroup] = []
        if let freeze {
            let patterns = try ListText.elements(freeze, of: "`freeze`")
            if let pattern = patterns.first(where: { $0.contains { $0 == "=" || $0.isWhitespace } }) {
                throw RecurrentError.invalidOption(
                    "`freeze` must be names of parameters, such as encoder.*,rnn.*, not '\(pattern.excerpt)'")
            }
            var group = ParameterGroup(patterns: patterns, isFrozen: true)
            group.option = "freeze"
            groups.append(group)
        }
        for element in try rate.map({ try ListText.elements($0, of: "`rate`") }) ?? [] {
            let parts = element.split(separator: "=", omittingEmptySubsequences: false).map(ListText.trimmed)
            guard parts.count == 2, !parts[0].isEmpty, !parts[0].contains(where: \.isWhitespace),
                let number = Double(parts[1]), number > 0, number.isFinite
            else {
                throw RecurrentError.invalidOption(
                    "`rate` must be names of parameters with rates above 0, such as rnn.*=0.1, not '\(element.excerpt)'"
                )
            }
            var group = ParameterGroup(parts[0], learningRate: number)
            group.option = "rate"
            groups.append(group)
        }
        return groups
    }
}

extension TrainingConfiguration {
    /// Checks ``freeze`` and ``rate`` against the names of a model's parameters, before there is a model.
    ///
    /// - Parameters:
    ///   - cell: the cell of the model.
    ///   - model: the sizes and choices of the model.
    ///   - hasTokenInputs: whether the model has an embedding.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if a pattern fits no name, or does nothing, or
    ///   ``RecurrentError/cell(_:)`` if the cell's declarations are wrong.
    package func checkNames(
        cell: any RecurrentCell, model: ModelConfiguration, hasTokenInputs: Bool
    ) throws {
        let groups = try parameterGroups()
        guard !groups.isEmpty else { return }
        _ = try GroupedParameters(groups, try ParameterStore(cell, model, hasTokenInputs: hasTokenInputs))
    }

    /// Returns the options that do nothing because of ``freeze`` and ``rate``, by their names, each with a description of
    /// the run that follows “does nothing for”; `manifold` does something in a run that starts from weights of its own.
    ///
    /// - Parameters:
    ///   - cell: the cell of the model.
    ///   - model: the sizes and choices of the model.
    ///   - hasTokenInputs: whether the model has an embedding.
    /// - Throws: what ``checkNames(cell:model:hasTokenInputs:)`` throws.
    package func idleOptions(
        cell: any RecurrentCell, model: ModelConfiguration, hasTokenInputs: Bool
    ) throws -> [String: String] {
        let groups = try parameterGroups()
        guard !groups.isEmpty else { return [:] }
        let grouped = try GroupedParameters(groups, try ParameterStore(cell, model, hasTokenInputs: hasTokenInputs))
        let trained = grouped.parts.filter { grouped.group(of: $0)?.isFrozen != true }
        let usual = trained.filter { grouped.group(of: $0)?.learningRate == nil }
        func describe(_ weights: String) -> String {
            "a run in which \(weights) are frozen or have a `rate` of their own"
        }
        var result: [String: String] = [:]
        if !usual.contains(where: \.isOrthogonal) {
            result["manifoldLearningRate"] = describe("all orthogonal weights")
        }
        if !usual.contains(where: { $0.isRecurrent && !$0.isOrthogonal }) {
            result["recurrentLearningRate"] = describe("all free recurrent weights")
        }
        let others = usual.filter { part in
            part.isOrthogonal ? manifoldLearningRate == nil : !part.isRecurrent || recurrentLearningRate == nil
        }
        if others.isEmpty { result["learningRate"] = describe("all parameters") }
        if !trained.contains(where: \.isOrthogonal) {
            result["manifold"] =
                "a run that starts from the weights of another and in which all orthogonal weights are frozen"
        }
        if !trained.contains(where: \.isRecurrent) {
            result["clipRecurrent"] = "a run in which all recurrent weights are frozen"
        }
        return result
    }
}

extension ParameterStore {
    /// Creates a store with the names that the parameters of a ``SequenceModel`` have, and one token and one class.
    fileprivate convenience init(_ cell: any RecurrentCell, _ model: ModelConfiguration, hasTokenInputs: Bool) throws {
        self.init()
        let size = model.hiddenSize, output = model.outputSize(of: cell),
            width = hasTokenInputs ? model.embeddingSize : 1
        if hasTokenInputs { _ = declare("encoder.weight", rows: 1, columns: width) }
        for index in 0..<model.layers {
            let layout = try PackedLayout(cell, inputWidth: index == 0 ? width : output, hiddenWidth: size)
            _ = RecurrentLayer.declare(layout, name: "rnn", index: index, in: self)
        }
        if !(model.tiesEmbedding && hasTokenInputs) { _ = declare("decoder.weight", rows: 1, columns: output) }
        _ = declare("decoder.bias", rows: 1, columns: 1, isVector: true)
    }
}
