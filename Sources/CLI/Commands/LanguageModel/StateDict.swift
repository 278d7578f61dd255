import RecurrentCore

/// The weights of a language model that PyTorch trained, with the sizes that follow from their shapes.
///
/// Names are those of PyTorch's word_language_model: `encoder.weight` [V, E], `rnn.weight_ih_l0` [G·H, E],
/// `rnn.weight_hh_l0` [G·H, H], `rnn.bias_ih_l0`, `rnn.bias_hh_l0`, …, `decoder.weight` [V, H], `decoder.bias` [V]. Biases
/// may be missing (`bias=False`), as may the decoder's weight if it is tied to the encoder's.
package struct StateDict {
    let path: String
    /// The number of tokens V.
    package let vocabulary: Int
    /// The embedding size E.
    package let embeddingSize: Int
    /// The hidden size H.
    package let hiddenSize: Int
    package let layers: Int
    /// The number of gates G: 1 for nn.RNN, 3 for nn.GRU.
    package let gates: Int
    /// Whether the decoder shares its weight with the encoder.
    package let isTied: Bool
    private let file: SafeTensors
    private let prefix: String

    /// The prefixes that nn.DataParallel and torch.compile add to every name.
    private static let wrappers = ["module.", "_orig_mod."]

    /// Reads a state dict that was saved as safetensors.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if the file is damaged, or isn't the state dict of a
    ///   language model with a unidirectional nn.RNN or nn.GRU.
    package init(path: String) throws {
        func flaw(_ reason: String) -> RecurrentError { .checkpoint(path: path, reason: reason) }
        let file = try SafeTensors(path: path)
        let prefix = Self.wrappers.first { prefix in file.tensors.allSatisfy { $0.name.hasPrefix(prefix) } } ?? ""
        self.path = path
        self.file = file
        self.prefix = file.tensors.isEmpty ? "" : prefix
        func matrix(_ name: String) throws -> (rows: Int, columns: Int) {
            guard let tensor = file[prefix + name] else {
                let some = file.tensors.prefix(12).map { "'\($0.name)'" }.joined(separator: ", ")
                throw flaw(
                    "has no '\(name)'; name the tensors as PyTorch's word_language_model does (encoder.weight, rnn.weight_ih_l0, …, decoder.bias); it holds \(some.isEmpty ? "nothing" : some)\(file.tensors.count > 12 ? ", …" : "")"
                )
            }
            guard tensor.shape.count == 2, tensor.shape.allSatisfy({ $0 >= 1 }) else {
                throw flaw("'\(name)' has the shape \(tensor.shape), not that of a matrix")
            }
            return (tensor.shape[0], tensor.shape[1])
        }
        if let other = file.tensors.first(where: { $0.name.hasSuffix("_reverse") }) {
            throw flaw(
                "holds '\(other.name)': a bidirectional model can't be imported, it reads what it should predict")
        }
        if let other = file.tensors.first(where: { $0.name.contains("weight_hr_l") }) {
            throw flaw(
                "holds '\(other.name)': an LSTM with a projection can't be imported; there are nn.RNN and nn.GRU")
        }
        let encoder = try matrix("encoder.weight"), input = try matrix("rnn.weight_ih_l0")
        let recurrent = try matrix("rnn.weight_hh_l0")
        (vocabulary, embeddingSize, hiddenSize) = (encoder.rows, encoder.columns, recurrent.columns)
        guard input.columns == encoder.columns else {
            throw flaw(
                "'rnn.weight_ih_l0' reads vectors of \(input.columns), but 'encoder.weight' has \(encoder.columns) columns"
            )
        }
        guard recurrent.rows == input.rows, recurrent.rows % recurrent.columns == 0 else {
            throw flaw(
                "'rnn.weight_hh_l0' has the shape [\(recurrent.rows), \(recurrent.columns)] and 'rnn.weight_ih_l0' \(input.rows) rows: that is neither nn.RNN nor nn.GRU"
            )
        }
        gates = recurrent.rows / recurrent.columns
        guard gates == 1 || gates == 3 else {
            throw flaw("has \(gates) gates\(gates == 4 ? " (an LSTM)" : ""); nn.RNN (1) and nn.GRU (3) can be imported")
        }
        var layers = 1
        while file[prefix + "rnn.weight_hh_l\(layers)"] != nil { layers += 1 }
        self.layers = layers
        isTied = file[prefix + "decoder.weight"] == nil
        guard !isTied || encoder.columns == recurrent.columns else {
            throw flaw(
                "has no 'decoder.weight', and 'encoder.weight' of width \(encoder.columns) can't stand for it: states have width \(recurrent.columns)"
            )
        }
    }

    /// Returns the weights in the order of a model's parameters, as ``SequenceModel/restore(_:)`` takes them.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if a tensor is missing or superfluous, has another shape or
    ///   type, or holds numbers that aren't finite.
    package func values(for model: SequenceModel) throws -> [Float] {
        func flaw(_ reason: String) -> RecurrentError { .checkpoint(path: path, reason: reason) }
        let wanted = model.parameters.entries
        let names = Set(wanted.map { prefix + $0.name })
        if let extra = file.tensors.first(where: { !names.contains($0.name) }) {
            throw flaw(
                "holds '\(extra.name)' of shape \(extra.shape), which a model of cell '\(model.cell.name)' with \(layers) layers doesn't have"
            )
        }
        return try wanted.flatMap { parameter in
            let name = prefix + parameter.name
            // nn.Linear and nn.GRU leave out biases with bias=False.
            if file[name] == nil, parameter.name == "decoder.bias" || parameter.name.hasPrefix("rnn.bias_") {
                return [Float](repeating: 0, count: parameter.count)
            }
            return try numbers(name, parameter.shape)
        }
    }

    private func numbers(_ name: String, _ shape: [Int]) throws -> [Float] {
        let numbers = try file.floats(name, shape: shape)
        guard numbers.allSatisfy(\.isFinite) else {
            throw RecurrentError.checkpoint(path: path, reason: "tensor '\(name)' holds numbers that aren't finite")
        }
        return numbers
    }
}
