extension SequenceModel {
    /// Writes all parameters under their names, in PyTorch's layout; the file is
    /// replaced as a whole or not at all.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the file can't be written.
    public func save(to path: String) throws {
        var writer = SafeTensorsWriter(metadata: ["format": "pt", "cell": cell.name], hasChecksum: true)
        for (index, parameter) in parameters.entries.enumerated() {
            let value = parameters.value(index)
            writer.add(parameter.name, shape: parameter.shape) { [backend] in backend.download(value, as: Float.self) }
        }
        try writer.write(to: path)
    }

    /// Reads all parameters from a file that fits this model exactly; the model
    /// doesn't change unless the whole file can be read.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the file can't be read,
    ///   ``RecurrentError/checkpoint(path:reason:)`` if it is damaged or belongs to
    ///   another cell, or if a tensor is missing, unknown, of another shape, or not finite.
    public func load(from path: String) throws { restore(try weights(from: path)) }

    /// Reads what ``load(from:)`` would put into the model, in the order of ``snapshot()``.
    func weights(from path: String) throws -> [Float] {
        let file = try SafeTensors(path: path)
        try file.verifyChecksum()
        if let other = file.metadata["cell"], other != cell.name {
            throw RecurrentError.checkpoint(path: path, reason: "holds a model of cell '\(other)', not '\(cell.name)'")
        }
        let names = Set(parameters.entries.map(\.name))
        if let extra = file.tensors.first(where: { !names.contains($0.name) }) {
            throw RecurrentError.checkpoint(
                path: path,
                reason: "holds a tensor '\(extra.name)' that this model doesn't have; "
                    + "is it from a model of another size or cell?")
        }
        return try parameters.entries.flatMap { parameter in
            let numbers = try file.floats(parameter.name, shape: parameter.shape)
            guard numbers.allSatisfy(\.isFinite) else {
                throw RecurrentError.checkpoint(
                    path: path, reason: "tensor '\(parameter.name)' holds numbers that aren't finite")
            }
            return numbers
        }
    }
}
