/// The sizes and choices of a ``SequenceModel`` other than its cell and data.
public struct ModelConfiguration: OptionSection {
    /// The width E of the embedding; unused where the inputs are vectors already.
    public var embeddingSize: Int
    /// The width H of the hidden states.
    public var hiddenSize: Int
    /// The number of recurrent layers.
    public var layers: Int
    /// The rate of dropout at ``dropoutPlaces``, in 0..<1.
    public var dropout: Double
    /// The places where ``dropout`` acts.
    public var dropoutPlaces: Set<DropoutPlace>
    /// Whether all steps of a sequence share one mask, at the embedding and the outputs
    /// (variational dropout, Gal & Ghahramani 2016).
    public var locksDropout: Bool
    /// The rate at which whole words of the embedding are zeroed, in 0..<1.
    public var embeddingDropout: Double
    /// The rate at which elements of the recurrent weights are zeroed, the same
    /// ones in all steps of a batch (DropConnect, Wan et al. 2013; AWD-LSTM), in
    /// 0..<1. An orthogonal weight stays orthogonal as a parameter, but the masked copy that
    /// the steps use isn't orthogonal, and the bounds on the gradients don't hold for it.
    public var weightDropout: Double
    /// The rate at which units keep their old values in a step of training, in 0..<1
    /// (Krueger et al. 2017). Gradients then bypass the weight, and the bounds on them
    /// don't hold.
    public var zoneout: Double
    /// Whether the projection's weight is the embedding's table, which needs E = O: H, unless the cell's output consists
    /// of several states.
    public var tiesEmbedding: Bool
    /// The initialization of free recurrent weights.
    public var recurrentInitialization: RecurrentInitialization
    /// The initialization of the embedding and the projection.
    public var tableInitialization: TableInitialization

    /// A place where dropout acts.
    public enum DropoutPlace: String, Sendable, CaseIterable {
        /// The embedded inputs.
        case embedding
        /// The outputs of each recurrent layer.
        case output
        /// The projection's logits, as in the paper's toy tasks.
        case logits
    }

    /// Creates a configuration with the defaults.
    public init() { self.init(embeddingSize: 30) }
    /// Creates a configuration; each parameter is described at the property of the same name.
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

    public static let fields: [OptionField<Self>] = [
        .integer("embeddingSize", \.embeddingSize, 1...TrainingConfiguration.largestSize, "Width E of the embedding.")
            .needing(.tokenInputs),
        .integer("hiddenSize", \.hiddenSize, 1...TrainingConfiguration.largestSize, "Width H of the state."),
        .integer("layers", \.layers, 1...1000, "Stacked recurrent layers."),
        .flag("tied", \.tiesEmbedding, "The projection's weight is the embedding.")
            .needing(.tokenInputs),
        .number("dropout", \.dropout, .within(0..<1), "Dropout rate."),
        .choices("dropoutOn", \.dropoutPlaces, "Where dropout acts.").needing(.dropout),
        .flag("lockedDropout", \.locksDropout, "One mask for all steps (variational dropout)."),
        .number("embeddingDropout", \.embeddingDropout, .within(0..<1), "Dropout rate of whole words.")
            .needing(.tokenInputs),
        .number("weightDropout", \.weightDropout, .within(0..<1), "Dropout rate of recurrent weights.")
            .needing(.recurrentWeight),
        .number("zoneout", \.zoneout, .within(0..<1), "Rate of units that keep their values."),
        .choice("recurrentInit", \.recurrentInitialization, "Start of free weights.").needing(.freeRecurrentWeight)
            .needing(.undeterminedRecurrentWeight).needing(.freshWeights),
        .choice("tableInit", \.tableInitialization, "Start of embedding and projection.").needing(.freshWeights),
    ]

    /// Checks that the options fit together.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for locked dropout without dropout at a place that can lock it.
    public func validate() throws {
        if locksDropout, dropout == 0 || dropoutPlaces.subtracting([.logits]).isEmpty {
            throw RecurrentError.invalidOption(
                "`lockedDropout` needs a `dropout` above 0 on embedding or output (`dropoutOn` embedding,output)")
        }
    }
}

extension ModelConfiguration {
    /// Returns the width O of a recurrent layer's output, ``RecurrentCell/outputCount`` · H.
    public func outputSize(of cell: any RecurrentCell) -> Int { cell.outputCount * hiddenSize }

    /// Checks that a tied embedding is as wide as the output of the cell.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if it isn't.
    package func checkTies(to cell: any RecurrentCell) throws {
        let width = outputSize(of: cell)
        guard tiesEmbedding, embeddingSize != width else { return }
        throw RecurrentError.invalidOption(
            cell.outputCount == 1
                ? "`tied` needs an `embeddingSize` equal to the `hiddenSize`, not \(embeddingSize) and \(hiddenSize)"
                : "`tied` needs an `embeddingSize` equal to the output of \(cell.outputCount) states, \(width), not \(embeddingSize)"
        )
    }
}
