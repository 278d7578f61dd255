/// Rows of a table, by token id: ids [R] to vectors [R, E].
public final class EmbeddingLayer {
    public let vocabulary: Int
    public let width: Int
    let weight: Int
    private let parameters: ParameterStore
    private let backend: any Backend
    private var indices: (any IndexMemory)?
    private let dropout: SharedDropout?
    private var isMasked = false
    private let output: Scratch

    /// Declares `NAME.weight`. `dropout` is the rate at which whole words are zeroed in
    /// a batch, wherever they stand (AWD-LSTM's embedding dropout).
    public init(
        name: String, vocabulary: Int, width: Int, dropout: Double = 0, parameters: ParameterStore, backend: any Backend
    ) throws {
        self.dropout = dropout > 0 ? try SharedDropout(rate: dropout, backend: backend) : nil
        self.vocabulary = vocabulary
        self.width = width
        self.parameters = parameters
        self.backend = backend
        weight = parameters.declare("\(name).weight", rows: vocabulary, columns: width)
        output = Scratch(backend)
    }

    /// The same table for passes of its own: it has other buffers, and drops no words.
    func twin() -> EmbeddingLayer { EmbeddingLayer(twinOf: self) }

    private init(twinOf other: EmbeddingLayer) {
        vocabulary = other.vocabulary
        width = other.width
        parameters = other.parameters
        backend = other.backend
        weight = other.weight
        dropout = nil
        output = Scratch(backend)
    }

    /// - Parameters:
    ///   - ids: below ``vocabulary``.
    ///   - key: of the dropout mask; nil for none.
    public func forward(_ ids: [Int32], key: RandomKey? = nil) throws -> MatrixView {
        if let indices, indices.count == ids.count {
            backend.update(indices, with: ids)
        } else {
            indices = try backend.makeIndices(ids)
        }
        let result = try output.view(rows: ids.count, columns: width)
        backend.gatherRows(parameters.value(weight), indices!, into: result)
        isMasked = key != nil && dropout != nil
        if let dropout, let key {
            try dropout.draw(rows: vocabulary, columns: 1, key: key)
            try dropout.spread(over: indices!)
            try dropout.applyToWords(result)
        }
        return result
    }

    /// Adds the gradient of the table's rows that the last `forward` read;
    /// `gradient` is masked in place if that was.
    public func backward(_ gradient: MatrixView) throws {
        if isMasked { try dropout!.applyToWords(gradient) }
        backend.scatterAddRows(gradient, indices!, into: parameters.gradient(weight))
    }
}
