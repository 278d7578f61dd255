import Foundation
import RecurrentCore

extension RunConfiguration {
    /// Checks that the sizes are those of the weights of a saved run.
    ///
    /// - Parameters:
    ///   - source: the folder of the saved run.
    ///   - registry: the plug-ins.
    ///   - names: the names of options that don't count.
    /// - Throws: ``RecurrentError/invalidOption(_:)``, naming the first size that differs.
    func checkSizes(of source: RunFolder, _ registry: Registry, except names: Set<String> = []) throws {
        let saved = try source.configuration().model.optionValues, own = model.optionValues
        let missing = missingConditions(registry)
        for option in ModelConfiguration.options
        where ["embeddingSize", "hiddenSize", "layers", "tied"].contains(option.name)
            && option.conditions.isDisjoint(with: missing) && !names.contains(option.name)
        {
            guard let old = saved[option.name], let new = own[option.name], old != new else { continue }
            throw RecurrentError.invalidOption(
                "`\(option.name)` is \(new.text), but that of the weights in \(source.path) is \(old.text); leave it out"
            )
        }
    }

    /// Returns in which options of the data and the activation a saved run differs, on which the shapes of its weights may
    /// depend; an empty text if in none.
    func differingData(from source: RunFolder, _ registry: Registry) -> String {
        guard let saved = try? registry.resolve(source.configuration(), locatesData: false) else { return "" }
        let isSameData = saved.dataset.name == dataset.name
        var names = Set(isSameData ? Array(dataset.options.keys) : []).union(["dataset"])
        // An activation counts if it brings parameters, such as the bias of modReLU.
        var other = saved
        other.activation = activation
        func parameters(_ configuration: RunConfiguration) -> [String]? {
            (try? registry.makeCell(configuration))?.parameters.map(\.name)
        }
        if parameters(saved) != parameters(other) { names.insert("activation") }
        let changes = saved.changes(to: self).filter { names.contains($0.name) }
        guard !changes.isEmpty else { return "" }
        let list = changes.map { "`\($0.name)` \($0.old?.text ?? "none"), not \($0.new?.text ?? "none")" }
        return " (that run has \(list.joined(separator: ", ")))"
    }
}

extension SequenceModel {
    /// The largest allowed element of |WᵀW − I| of an orthogonal weight; with a manifold update it stays below a tenth of
    /// this.
    static var orthogonalityTolerance: Double { 1e-4 }

    /// Checks that the weights that the cell keeps orthogonal or unitary are such that a manifold update can start from them.
    ///
    /// - Parameters:
    ///   - manifold: the manifold update.
    ///   - path: the path of the file or run that they are from, for the message.
    ///   - registry: the plug-ins, of which the message names those that could start from the weight.
    ///   - frozen: the names of weights that may be anything, because they aren't trained.
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if one isn't orthogonal, or has a
    ///   determinant that the update doesn't reach.
    package func checkStarts(
        of manifold: any ManifoldUpdate, path: String, _ registry: Registry, except frozen: Set<String> = []
    ) throws {
        let traits = manifold.traits, margin = traits.spectralMargin
        let free = "a cell whose weights are free\(registry.freeCell(like: cell).map { ", such as '\($0)'" } ?? "")"
        for block in parameters.orthogonalBlocks where !frozen.contains(block.name) {
            /// Returns the error of a weight from which training can start with other choices.
            func flaw(
                _ reason: String, choose own: String? = nil, condition: String = "", others: (ManifoldTraits) -> Bool
            ) -> RecurrentError {
                let names = registry.manifolds { $0.fields.contains(block.field) && others($0) }
                    .filter { $0 != manifold.name }
                let other = names.isEmpty ? nil : "another `manifold` (\(OptionKind.either(names))\(condition))"
                return .checkpoint(
                    path: path,
                    reason:
                        "\(block.name) \(reason); choose \(OptionKind.either([own, other, free].compactMap { $0 }))")
            }
            let weight = parameters.value(of: block)
            let error = try OrthogonalSpectrum.orthogonalityError(of: weight, on: backend)
            // With a margin, the update knows itself from which singular values it can start.
            guard margin > 0 ? error.isFinite : error <= Self.orthogonalityTolerance else {
                throw flaw(
                    "isn't \(block.field == .real ? "orthogonal: ‖WᵀW" : "unitary: ‖WᴴW") − I‖ is \(String(format: "%.2g", error)) (largest element), more than \(Self.orthogonalityTolerance), so training with the `manifold` \(manifold.name) can't start from it",
                    condition: " if its `spectralMargin` is wide enough", others: { $0.spectralMargin > 0 })
            }
            guard block.field == .real, traits.starts == .rotations || traits.starts == .reflections else { continue }
            let isRotation = try OrthogonalSpectrum.isRotation(weight, on: backend)
            guard isRotation == (traits.starts == .rotations) else {
                let (kind, own, kept) = isRotation ? ("rotation", "1", "−1") : ("reflection", "−1", "1")
                throw flaw(
                    "is a \(kind): its determinant is \(own), and training with the `manifold` \(manifold.name) keeps it \(kept)",
                    choose: traits.otherStarts,
                    others: { $0.starts == .anywhere || $0.starts == (isRotation ? .rotations : .reflections) })
            }
        }
    }
}

extension Registry {
    /// Returns the names of the manifold updates whose traits, with default options, satisfy a condition.
    func manifolds(_ condition: (ManifoldTraits) -> Bool) -> [String] {
        names(.manifold).filter { name in
            var configuration = RunConfiguration()
            configuration.manifold = PluginChoice(name)
            return (try? makeManifold(configuration)).map { condition($0.traits) } ?? false
        }
    }

    /// Returns the name of a cell with the same weights, of which none is kept orthogonal.
    package func freeCell(like cell: any RecurrentCell) -> String? {
        func weights(_ cell: any RecurrentCell) -> [[AnyHashable]] {
            cell.parameters.filter { $0.kind == .recurrentWeight || $0.kind == .inputWeight }.map {
                [$0.kind, $0.shape]
            }
        }
        return names(.cell).first { name in
            guard let other = try? makeCell(RunConfiguration(cell: PluginChoice(name))) else { return false }
            return !other.hasOrthogonalWeight && weights(other) == weights(cell)
        }
    }
}
