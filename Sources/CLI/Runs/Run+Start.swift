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
    ///   - free: the name of a cell that accepts other weights, for the message.
    ///   - frozen: the names of weights that may be anything, because they aren't trained.
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if one isn't orthogonal, or has a
    ///   determinant that the update doesn't reach.
    package func checkStarts(
        of manifold: any ManifoldUpdate, path: String, free: String?, except frozen: Set<String> = []
    ) throws {
        let traits = manifold.traits, margin = traits.spectralMargin
        let cell = "whose weights are free\(free.map { ", such as '\($0)'" } ?? "")"
        for block in parameters.orthogonalBlocks where !frozen.contains(block.name) {
            func flaw(_ reason: String) -> RecurrentError {
                .checkpoint(path: path, reason: "\(block.name) \(reason)")
            }
            let weight = parameters.value(of: block)
            let error = try OrthogonalSpectrum.orthogonalityError(of: weight, on: backend)
            // With a margin, the update knows itself from which singular values it can start.
            guard margin > 0 ? error.isFinite : error <= Self.orthogonalityTolerance else {
                throw flaw(
                    "isn't \(block.field == .real ? "orthogonal: ‖WᵀW" : "unitary: ‖WᴴW") − I‖ is \(String(format: "%.2g", error)) (largest element), more than \(Self.orthogonalityTolerance); its cell must be one \(cell)"
                )
            }
            guard block.field == .real, traits.starts == .rotations || traits.starts == .reflections else { continue }
            let isRotation = try OrthogonalSpectrum.isRotation(weight, on: backend)
            guard isRotation == (traits.starts == .rotations) else {
                let (kind, own, kept) = isRotation ? ("rotation", "1", "−1") : ("reflection", "−1", "1")
                let remedies = [traits.otherStarts, "the `manifold` dynamic-trivialization"].compactMap { $0 }
                throw flaw(
                    "is a \(kind): its determinant is \(own), and training with the `manifold` \(manifold.name) keeps it \(kept); choose \(remedies.joined(separator: ", ")) or a cell \(cell)"
                )
            }
        }
    }
}

extension Registry {
    /// Returns the name of a cell with the same number of gates whose weights aren't kept orthogonal.
    package func freeCell(like cell: any RecurrentCell) -> String? {
        func gates(_ cell: any RecurrentCell) -> [CellParameter.Shape] {
            cell.parameters.filter { $0.kind == .recurrentWeight }.map(\.shape)
        }
        return names(.cell).first { name in
            guard let other = try? makeCell(RunConfiguration(cell: PluginChoice(name))) else { return false }
            return !other.hasOrthogonalWeight && gates(other) == gates(cell)
        }
    }
}
