/// Keeps the elements that a layer's weights don't have, as those above the diagonal of a triangular one, at zero.
final class WeightMasks {
    private let masks: [(parameter: Int, mask: MatrixView)]
    private let multiply: any Kernel
    private let parameters: ParameterStore
    private let backend: any Backend

    /// Allocates the masks; nil if there are none.
    ///
    /// - Parameters:
    ///   - indices: the numbers of the layer's parameters in the store.
    ///   - parameters: the store.
    ///   - backend: the backend that the layer runs on.
    init?(_ indices: [Int], parameters: ParameterStore, on backend: any Backend) throws {
        masks = try indices.compactMap { index in
            guard let mask = parameters.masks[index] else { return nil }
            let entry = parameters.entries[index]
            return (index, try backend.makeMatrix(mask, rows: entry.rows, columns: entry.columns))
        }
        guard !masks.isEmpty else { return nil }
        multiply = try backend.compile(PointwiseProgram(inputs: 2) { input, _ in [input[0] * input[1]] })
        self.parameters = parameters
        self.backend = backend
    }

    /// Clears these elements of the values.
    func clearValues() { clear(parameters.value) }
    /// Clears these elements of the gradients.
    func clearGradients() { clear(parameters.gradient) }

    private func clear(_ matrix: (Int) -> MatrixView) {
        for (parameter, mask) in masks {
            let target = matrix(parameter)
            backend.run(multiply, inputs: [target, mask], outputs: [target])
        }
    }
}
