/// Rows of a table, by token id: ids [R] to vectors [R, E].
public final class EmbeddingLayer {
    public let vocabulary: Int
    public let width: Int
    let weight: Int
    private let parameters: ParameterStore
    private let backend: any Backend
    private var indices: (any IndexMemory)?
    private let output: Scratch

    public init(name: String, vocabulary: Int, width: Int, parameters: ParameterStore, backend: any Backend) {
        self.vocabulary = vocabulary
        self.width = width
        self.parameters = parameters
        self.backend = backend
        weight = parameters.declare("\(name).weight", rows: vocabulary, columns: width)
        output = Scratch(backend)
    }

    /// - Parameter ids: below ``vocabulary``.
    public func forward(_ ids: [Int32]) throws -> MatrixView {
        if let indices, indices.count == ids.count {
            backend.update(indices, with: ids)
        } else {
            indices = try backend.makeIndices(ids)
        }
        let result = try output.view(rows: ids.count, columns: width)
        backend.gatherRows(parameters.value(weight), indices!, into: result)
        return result
    }

    /// Adds the gradient of the table's rows that the last `forward` read.
    public func backward(_ gradient: MatrixView) {
        backend.scatterAddRows(gradient, indices!, into: parameters.gradient(weight))
    }
}
