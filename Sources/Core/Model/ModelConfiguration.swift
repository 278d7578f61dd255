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
        dropoutPlaces: Set<DropoutPlace> = [.logits], recurrentInitialization: RecurrentInitialization = .uniform,
        tableInitialization: TableInitialization = .torch
    ) {
        self.embeddingSize = embeddingSize
        self.hiddenSize = hiddenSize
        self.layers = layers
        self.dropout = dropout
        self.dropoutPlaces = dropoutPlaces
        self.recurrentInitialization = recurrentInitialization
        self.tableInitialization = tableInitialization
    }

    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the first value out of range.
    public func validate() throws {
        for (name, value) in [("embedding size", embeddingSize), ("hidden size", hiddenSize), ("number of layers", layers)]
        where value < 1 {
            throw RecurrentError.invalidOption("the \(name) must be at least 1, not \(value)")
        }
        guard (0..<1).contains(dropout) else {
            throw RecurrentError.invalidOption("the dropout rate must be at least 0 and below 1, not \(dropout)")
        }
    }
}
