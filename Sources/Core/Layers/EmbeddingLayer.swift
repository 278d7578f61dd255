/// A table with a vector for each token id: from ids [R] to vectors [R, E].
public final class EmbeddingLayer {
    /// The number V of tokens, and of rows of the table.
    public let vocabulary: Int
    /// The width E of the vectors.
    public let width: Int
    /// The number of the table in the store.
    public let weight: Int
    private let parameters: ParameterStore
    private let backend: any Backend
    private var indices: (any IndexMemory)?
    private let dropout: SharedDropout?
    /// Whether passes of training zero words.
    var hasDropout: Bool { dropout != nil }
    /// Whether the layer has no backward pass.
    private let isTwin: Bool
    private var isMasked = false
    private let output: Scratch

    /// Creates a layer and declares its parameter `NAME.weight`, [V, E].
    ///
    /// `dropout` is the rate at which whole words are zeroed in a batch, at all their
    /// positions (AWD-LSTM's embedding dropout).
    ///
    /// - Throws: what the backend throws.
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

    /// Returns a layer for inference that shares the table but not the buffers, and drops
    /// no words.
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
    ///   - ids: the R token ids, below ``vocabulary``.
    ///   - key: the random key of the dropout mask; nil for no dropout.
    /// - Returns: the vectors, [R, E], valid until the next call.
    /// - Throws: what the backend throws.
    public func forward(_ ids: [Int32], key: RandomKey? = nil) throws -> MatrixView {
        let result = try output.view(rows: ids.count, columns: width), table = parameters.value(weight)
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

    /// Gives a recurrent layer the tokens themselves, with the table, to whose gradient that layer's backward pass adds. The
    /// tokens are valid until the next call.
    ///
    /// - Parameter ids: the R token ids, below ``vocabulary``.
    /// - Throws: what the backend throws.
    package func tokens(_ ids: [Int32]) throws -> EmbeddedTokens {
        EmbeddedTokens(
            table: parameters.value(weight), gradient: parameters.gradient(weight), indices: try madeIndices(ids))
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

    /// Adds the gradient of the table's rows that the last `forward` read.
    ///
    /// - Parameter gradient: the gradient of what that pass returned, [R, E]; it is masked in
    ///   place if that pass had a mask.
    /// - Throws: what the backend throws.
    public func backward(_ gradient: MatrixView) throws {
        guard let indices, !isTwin else {
            preconditionFailure("backward needs a forward pass of a layer that is trained")
        }
        if isMasked { try dropout?.applyToWords(gradient) }
        backend.scatterAddRows(gradient, indices, into: parameters.gradient(weight))
    }
}
