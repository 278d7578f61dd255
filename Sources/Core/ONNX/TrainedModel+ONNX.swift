import RecurrentCore

extension TrainedModel {
    /// Writes the model as an ONNX file of opset 17, which onnxruntime and other programs run.
    ///
    /// A layer whose equations are those of ONNX's `RNN`, `GRU` or `LSTM` becomes this operator, whatever the names of the
    /// cell and its parameters are; any other becomes a `Scan` with the cell's equations as its body.
    ///
    /// The graph has an input `tokens` (int64, [sequence, batch]) or `inputs` (float, [sequence, batch, E]), and for each
    /// state of the cell an input such as `initial_h` and an output such as `final_h`, [layers, batch, H]. Its first
    /// output is `logits` where classes are predicted and `predictions` where numbers are, [sequence, batch, V] for one
    /// per position and [batch, V] for one per sequence.
    ///
    ///     try model.exportONNX(to: "model.onnx")
    ///
    /// - Parameters:
    ///   - path: the path of the file, which is replaced as a whole or not at all.
    ///   - isBatchFirst: whether batch comes before sequence in the input and the first output.
    /// - Returns: what the file holds.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the cell's equations contain an operation that the export lacks,
    ///   and ``RecurrentError/file(path:reason:)`` if the file can't be written or would be longer than 2 GiB, the limit
    ///   of protocol buffers.
    @discardableResult
    public func exportONNX(to path: String, isBatchFirst: Bool = false) throws -> ONNXSummary {
        let (model, summary) = try onnxModel(isBatchFirst: isBatchFirst)
        try model.write(to: path)
        return summary
    }

    /// Returns the model as ONNX describes it, without the values of its weights.
    package func onnxModel(isBatchFirst: Bool = false) throws -> (model: ONNXModel, summary: ONNXSummary) {
        var exporter = ModelExporter(self, isBatchFirst: isBatchFirst)
        return try exporter.export()
    }
}
