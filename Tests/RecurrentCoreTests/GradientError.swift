import RecurrentCore
import RecurrentTestSupport

/// Returns how far a model's gradients are from central differences of its mean loss on a batch, relative to their size;
/// the model computes in Double.
func gradientError(_ model: SequenceModel, _ batch: Batch, difference: Double = 1e-5) throws -> Double {
    let backend = model.backend
    let values: [Double] = backend.download(model.parameters.allValues)
    func loss(_ values: [Double]) throws -> Double {
        backend.upload(values, to: model.parameters.allValues)
        for layer in model.recurrentLayers { try layer.clearAbsentElements() }
        return try model.computeGradients(batch, step: 2).meanLoss
    }
    _ = try loss(values)
    let gradient: [Double] = backend.download(model.parameters.allGradients)
    return relativeError(gradient, try centralDifferences(values, step: difference, loss))
}
