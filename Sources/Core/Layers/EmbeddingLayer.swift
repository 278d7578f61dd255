/// Rows of a table, by token id: ids [R] to vectors [R, E].
public final class EmbeddingLayer {
    /// V, the rows of the table.
    public let vocabulary: Int
    /// E.
    public let width: Int
    let weight: Int
    private let parameters: ParameterStore
    private let backend: any Backend
    private var indices: (any IndexMemory)?
    private let dropout: SharedDropout?
    /// Whether nothing ever goes back through it.
    private let isTwin: Bool
    private var isMasked = false
    private let output: Scratch

    /// Declares `NAME.weight`. `dropout` is the rate at which whole words are zeroed in
    /// a batch, wherever they stand (AWD-LSTM's embedding dropout).
    public init(
        name: String, vocabulary: Int, width: Int, dropout: Double = 0, parameters: ParameterStore,
        on backend: any Backend
    ) throws {
        self.dropout = dropout > 0 ? try SharedDropout(rate: dropout, on: backend) : nil
        isTwin = false
        self.vocabulary = vocabulary
        self.width = width
        self.parameters = parameters
        self.backend = backend
        weight = parameters.declare("\(name).weight", rows: vocabulary, columns: width)
        output = Scratch(backend)
    }

    /// The same table for passes of its own, without training: it has other buffers, and
    /// drops no words.
    func twin() -> EmbeddingLayer { EmbeddingLayer(twinOf: self) }

    private init(twinOf other: EmbeddingLayer) {
        vocabulary = other.vocabulary
        width = other.width
        parameters = other.parameters
        backend = other.backend
        weight = other.weight
        dropout = nil
        isTwin = true
        output = Scratch(backend)
    }

    /// Looks up the vectors of R tokens.
    ///
    /// - Parameters:
    ///   - ids: R of them, below ``vocabulary``.
    ///   - key: of the dropout mask; nil for none.
    /// - Returns: [R, E], valid until the next call.
    /// - Throws: what the backend throws.
    public func forward(_ ids: [Int32], key: RandomKey? = nil) throws -> MatrixView {
        let result = try output.view(rows: ids.count, columns: width), table = parameters.value(weight)
        if isTwin, ids.count == 1 {
            // A text that is written token by token needs no indices on the device.
            let row = Int(ids[0])
            precondition((0..<vocabulary).contains(row), "token \(row) is outside the vocabulary of \(vocabulary)")
            backend.copy(table.rows(row..<row + 1), to: result)
            return result
        }
        let indices = try madeIndices(ids)
        backend.gatherRows(table, indices, into: result)
        isMasked = key != nil && dropout != nil
        if let dropout, let key {
            try dropout.draw(rows: vocabulary, columns: 1, key: key)
            try dropout.spread(over: indices)
            try dropout.applyToWords(result)
        }
        return result
    }

    private func madeIndices(_ ids: [Int32]) throws -> any IndexMemory {
        if let indices, indices.count == ids.count {
            backend.update(indices, with: ids)
            return indices
        }
        let made = try backend.makeIndices(ids)
        indices = made
        return made
    }

    /// Adds the gradient of the table's rows that the last `forward` read; `gradient`
    /// [R, E] is masked in place if that was.
    /// - Throws: what the backend throws.
    public func backward(_ gradient: MatrixView) throws {
        guard let indices, !isTwin else {
            preconditionFailure("backward needs a forward pass, of a layer that is trained")
        }
        if isMasked { try dropout?.applyToWords(gradient) }
        backend.scatterAddRows(gradient, indices, into: parameters.gradient(weight))
    }
}
