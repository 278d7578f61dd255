import RecurrentCore

/// The weights of a language model that PyTorch trained, with the sizes that follow from their shapes.
///
/// Names are those of PyTorch's word_language_model: `encoder.weight` [V, E], `rnn.weight_ih_l0` [G·H, E],
/// `rnn.weight_hh_l0` [G·H, H], `rnn.bias_ih_l0`, `rnn.bias_hh_l0`, …, `decoder.weight` [V, H], `decoder.bias` [V]. Biases
/// may be missing (`bias=False`), as may the decoder's weight if it is tied to the encoder's.
package struct StateDict {
    /// The number of tokens V.
    package let vocabulary: Int
    /// The embedding size E.
    package let embeddingSize: Int
    /// The hidden size H.
    package let hiddenSize: Int
    package let layers: Int
    /// The number of gates G: 1 for nn.RNN, 3 for nn.GRU, 4 for nn.LSTM.
    package let gates: Int
    /// The name of the cell with torch's equations: `rnn`, `gru` or `lstm`.
    package let cell: String
    /// Whether the decoder shares its weight with the encoder.
    package let isTied: Bool
    private let file: NamedTensors

    /// Reads a state dict that was saved as safetensors.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if the file is damaged, or isn't the state dict of a
    ///   language model with a unidirectional nn.RNN, nn.GRU or nn.LSTM.
    package init(path: String) throws {
        let file = try NamedTensors(path: path)
        self.file = file
        try Self.checkKind(file)
        let encoder = try file.matrix("encoder.weight"), input = try file.matrix("rnn.weight_ih_l0")
        let recurrent = try file.matrix("rnn.weight_hh_l0")
        (vocabulary, embeddingSize, hiddenSize) = (encoder.rows, encoder.columns, recurrent.columns)
        guard input.columns == encoder.columns else {
            throw file.flaw(
                "'rnn.weight_ih_l0' reads vectors of \(input.columns), but 'encoder.weight' has \(encoder.columns) columns"
            )
        }
        guard recurrent.rows == input.rows, recurrent.rows % recurrent.columns == 0 else {
            throw file.flaw(
                "'rnn.weight_hh_l0' has the shape [\(recurrent.rows), \(recurrent.columns)] and 'rnn.weight_ih_l0' \(input.rows) rows: that is neither nn.RNN, nn.GRU nor nn.LSTM"
            )
        }
        gates = recurrent.rows / recurrent.columns
        guard let cell = [1: "rnn", 3: "gru", 4: "lstm"][gates] else {
            throw file.flaw("has \(gates) gates; nn.RNN (1), nn.GRU (3) and nn.LSTM (4) can be imported")
        }
        self.cell = cell
        var layers = 1
        while file["rnn.weight_hh_l\(layers)"] != nil { layers += 1 }
        self.layers = layers
        let decoder = file["decoder.weight"]
        isTied = decoder == nil || decoder == file["encoder.weight"]
        guard !isTied || encoder.columns == recurrent.columns else {
            throw file.flaw(
                "has no 'decoder.weight', and 'encoder.weight' of width \(encoder.columns) can't stand for it: states have width \(recurrent.columns)"
            )
        }
    }

    /// Checks that the file holds weights themselves, of a model that can be imported.
    private static func checkKind(_ file: NamedTensors) throws {
        for (name, place) in file.names {
            if name.hasSuffix("_reverse") {
                throw file.flaw(
                    "holds '\(place)': a bidirectional model can't be imported, it reads what it should predict")
            }
            if name.contains("weight_hr_l") {
                throw file.flaw(
                    "holds '\(place)': an LSTM with a projection can't be imported, only one without")
            }
            let parts = name.split(separator: ".")
            guard let mark = parts.firstIndex(of: "parametrizations"), mark + 1 < parts.count else { continue }
            let module = (["model"] + parts[..<mark]).joined(separator: "."), weight = parts[mark + 1]
            throw file.flaw(
                "holds '\(place)', from which a parametrization computes '\(weight)' in a way that the file doesn't say; before saving, call torch.nn.utils.parametrize.remove_parametrizations(\(module), '\(weight)')"
            )
        }
    }

    /// Returns the weights in the order of a model's parameters, as ``SequenceModel/restore(_:)`` takes them.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if a tensor is missing or superfluous, has another shape or
    ///   type, or holds numbers that aren't finite.
    package func values(for model: SequenceModel) throws -> [Float] {
        let wanted = model.parameters.entries
        let read = Set(wanted.compactMap { file[$0.name] }.map { ExactName($0.name) })
        if let extra = file.tensors.first(where: { !read.contains(ExactName($0.name)) }) {
            throw file.flaw(
                "holds '\(extra.name)' of shape \(extra.shape), which a model of cell '\(model.cell.name)' with \(layers) layer\(layers == 1 ? "" : "s") doesn't have"
            )
        }
        // nn.Linear and torch's recurrent modules leave out biases with bias=False.
        let biases = Set(["decoder.bias"] + (0..<layers).flatMap { ["rnn.bias_ih_l\($0)", "rnn.bias_hh_l\($0)"] })
        return try wanted.flatMap { parameter in
            if file[parameter.name] == nil, biases.contains(parameter.name) {
                return [Float](repeating: 0, count: parameter.count)
            }
            return try file.numbers(parameter.name, shape: parameter.shape)
        }
    }
}
