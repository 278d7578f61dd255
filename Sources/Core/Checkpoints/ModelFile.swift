extension SequenceModel {
    /// Writes all parameters under their names, in PyTorch's layout; the file is
    /// replaced as a whole or not at all.
    ///
    /// - Parameters:
    ///   - path: the path of the file.
    ///   - metadata: strings to save with the parameters, such as the checksum of a vocabulary.
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the file can't be written.
    public func save(to path: String, metadata: [String: String] = [:]) throws {
        let own = ["format": "pt", "cell": cell.name]
        var writer = SafeTensorsWriter(metadata: own.merging(metadata) { own, _ in own }, hasChecksum: true)
        for (index, parameter) in parameters.entries.enumerated() {
            let value = parameters.value(index)
            writer.add(parameter.name, shape: parameter.shape) { [backend] in backend.download(value, as: Float.self) }
        }
        try writer.write(to: path)
    }

    /// Reads all parameters from a file that fits this model exactly; the model
    /// doesn't change unless the whole file can be read.
    ///
    /// - Parameters:
    ///   - path: the path of the file.
    ///   - ofAnyCell: whether the file may be from another cell whose parameters have the same names and shapes.
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the file can't be read,
    ///   ``RecurrentError/checkpoint(path:reason:)`` if it is damaged or belongs to
    ///   another cell, or if a tensor is missing, unknown, of another shape, or not finite.
    public func load(from path: String, ofAnyCell: Bool = false) throws {
        restore(try weights(from: path, ofAnyCell: ofAnyCell))
    }

    /// Reads what ``load(from:ofAnyCell:)`` would put into the model, in the order of ``snapshot()``.
    func weights(from path: String, ofAnyCell: Bool = false) throws -> [Float] {
        try parameters.weights(from: path, cell: cell.name, ofAnyCell: ofAnyCell)
    }
}

extension ParameterStore {
    /// Reads the values of all parameters from a file that fits them exactly, in their order.
    ///
    /// - Parameters:
    ///   - path: the path of the file.
    ///   - cell: the name of the cell that the parameters belong to.
    ///   - ofAnyCell: whether the file may be from another cell whose parameters have the same names and shapes.
    /// - Throws: what ``SequenceModel/load(from:ofAnyCell:)`` throws.
    func weights(from path: String, cell: String, ofAnyCell: Bool = false) throws -> [Float] {
        let file = try SafeTensors(path: path)
        try file.verifyChecksum()
        if let other = file.metadata["cell"], other != cell {
            let fits = entries.allSatisfy { file[$0.name]?.shape == $0.shape }
            guard ofAnyCell, fits, file.tensors.count == entries.count else {
                let why = ofAnyCell ? ", whose weights have other shapes" : ""
                throw RecurrentError.checkpoint(
                    path: path, reason: "holds a model of cell '\(other)', not '\(cell)'\(why)")
            }
        }
        let names = Set(entries.map { ExactName($0.name) })
        if let extra = file.tensors.first(where: { !names.contains(ExactName($0.name)) }) {
            throw RecurrentError.checkpoint(
                path: path,
                reason: "holds a tensor '\(extra.name)' that this model doesn't have; "
                    + "is it from a model of another size or cell?")
        }
        return try entries.enumerated().flatMap { index, parameter in
            var numbers = try file.floats(parameter.name, shape: parameter.shape)
            guard numbers.allSatisfy(\.isFinite) else {
                throw RecurrentError.checkpoint(
                    path: path, reason: "tensor '\(parameter.name)' holds numbers that aren't finite")
            }
            // Elsewhere, they may hold numbers that nothing reads.
            if let mask = masks[index] {
                for (element, present) in mask.enumerated() where present == 0 { numbers[element] = 0 }
            }
            return numbers
        }
    }
}
