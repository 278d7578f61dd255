/// The sizes and choices of a ``SequenceModel``, besides its cell and data.
public struct ModelConfiguration: Sendable, Codable, Equatable {
    /// E; unused where the data are vectors already.
    public var embeddingSize: Int
    /// H.
    public var hiddenSize: Int
    public var layers: Int
    /// In 0..<1.
    public var dropout: Double
    public var dropoutPlaces: Set<DropoutPlace>
    /// One mask for all steps of a sequence, at the embedding and the outputs
    /// (variational dropout, Gal & Ghahramani 2016).
    public var locksDropout: Bool
    /// The rate at which whole words of the embedding are zeroed, in 0..<1.
    public var embeddingDropout: Double
    /// The rate at which elements of the recurrent weights are zeroed, the same
    /// ones in all steps of a batch (DropConnect, Wan et al. 2013; AWD-LSTM), in
    /// 0..<1. An orthogonal weight stays so as a parameter; the masked copy that the
    /// steps use isn't, and the bounds on the gradients don't hold for it.
    public var weightDropout: Double
    /// The rate at which units keep their old values in a step of training, in 0..<1
    /// (Krueger et al. 2017). Gradients then go round the weight; the bounds on them
    /// don't hold.
    public var zoneout: Double
    /// Whether the projection's weight is the embedding's table; then E = H.
    public var tiesEmbedding: Bool
    public var recurrentInitialization: RecurrentInitialization
    public var tableInitialization: TableInitialization

    /// Where dropout acts.
    public enum DropoutPlace: String, Sendable, Codable, CaseIterable {
        /// The embedded inputs.
        case embedding
        /// The outputs of each recurrent layer.
        case output
        /// The projection's logits, as the paper has it for its toy tasks.
        case logits
    }

    public init(
        embeddingSize: Int = 30, hiddenSize: Int = 50, layers: Int = 1, dropout: Double = 0,
        dropoutPlaces: Set<DropoutPlace> = [.logits], locksDropout: Bool = false, embeddingDropout: Double = 0,
        weightDropout: Double = 0, zoneout: Double = 0, tiesEmbedding: Bool = false,
        recurrentInitialization: RecurrentInitialization = .uniform, tableInitialization: TableInitialization = .torch
    ) {
        self.embeddingSize = embeddingSize
        self.hiddenSize = hiddenSize
        self.layers = layers
        self.dropout = dropout
        self.dropoutPlaces = dropoutPlaces
        self.locksDropout = locksDropout
        self.embeddingDropout = embeddingDropout
        self.weightDropout = weightDropout
        self.zoneout = zoneout
        self.tiesEmbedding = tiesEmbedding
        self.recurrentInitialization = recurrentInitialization
        self.tableInitialization = tableInitialization
    }

    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the first value out of range.
    public func validate() throws {
        for (name, value) in [("embedding size", embeddingSize), ("hidden size", hiddenSize), ("number of layers", layers)]
        where value < 1 {
            throw RecurrentError.invalidOption("the \(name) must be at least 1, not \(value)")
        }
        for (name, rate) in [
            ("dropout rate", dropout), ("embedding dropout", embeddingDropout), ("weight dropout", weightDropout),
            ("zoneout", zoneout),
        ] where !(0..<1).contains(rate) {
            throw RecurrentError.invalidOption("the \(name) must be at least 0 and below 1, not \(rate)")
        }
        if tiesEmbedding, embeddingSize != hiddenSize {
            throw RecurrentError.invalidOption(
                "a tied embedding needs an embedding size equal to the hidden size, not \(embeddingSize) and \(hiddenSize)")
        }
    }
}
