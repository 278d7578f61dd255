import Synchronization

/// A trained model for use in a program: immutable weights that any number of tasks share.
///
/// Each task makes a session, which holds the states of its own sequences, or streams:
///
///     let model = try TrainedModel(sequenceModel, vocabulary: vocabulary)
///     let session = try model.makeSession(streams: 64)
///     let probabilities = try session.probabilities(after: tokens)
///
/// The weights are packed for products once, and of an embedding the products with the first layer's weights are computed
/// beforehand, so that a step looks them up. Dimensions: V tokens, classes or predicted numbers, E input
/// width, H hidden width.
public final class TrainedModel: Sendable {
    /// The equations of all recurrent layers.
    public let cell: any RecurrentCell
    /// The model's sizes; what concerns training alone, such as dropout, does nothing here.
    public let configuration: ModelConfiguration
    /// The form of the inputs and predictions.
    public let data: DatasetDescription
    /// The tokens of a language model; nil for other models, and if they are unknown.
    public let vocabulary: Vocabulary?
    /// The backend that holds the weights.
    public let backend: any Backend
    /// The names and shapes of all parameters.
    public let parameters: [ParameterStore.Parameter]
    /// The values of all parameters, one after another.
    private let values: MatrixView
    /// The recurrent layers, from the bottom up.
    let programs: [StepProgram]
    /// The embedding [V, E], if the first layer reads more of it than products that are looked up.
    let table: MatrixView?
    /// The projection from the last layer's state to logits or a number.
    let projection: (weight: any PreparedMatrix, bias: MatrixView)
    /// Held during a step by sessions whose backend computes one call after another.
    let turns = Mutex(())

    /// Creates a model from the present weights of one that is being trained, which are copied.
    ///
    /// - Parameters:
    ///   - model: the model, which may be trained on.
    ///   - vocabulary: the tokens of a language model.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the vocabulary has another number of tokens than the model, or
    ///   what the backend throws.
    public convenience init(_ model: SequenceModel, vocabulary: Vocabulary? = nil) throws {
        try self.init(
            cell: model.cell, configuration: model.configuration, data: model.data, vocabulary: vocabulary,
            on: model.backend
        ) { _, values in
            model.backend.copy(model.parameters.allValues, to: values)
        }
    }

    /// Creates a model from a file of weights, which ``SequenceModel/save(to:metadata:)`` or PyTorch wrote.
    ///
    /// - Parameters:
    ///   - path: the path of the file, in the format safetensors.
    ///   - cell: the equations of all recurrent layers.
    ///   - configuration: the model's sizes.
    ///   - data: the form of the inputs and predictions.
    ///   - vocabulary: the tokens of a language model.
    ///   - backend: the backend that computes; sessions of the CPU's run at the same time.
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the file can't be read,
    ///   ``RecurrentError/checkpoint(path:reason:)`` if it is damaged or belongs to a model of another form,
    ///   ``RecurrentError/invalidOption(_:)`` if the sizes don't fit together, or what the backend throws.
    public convenience init(
        weights path: String, cell: any RecurrentCell, configuration: ModelConfiguration, data: DatasetDescription,
        vocabulary: Vocabulary? = nil, on backend: any Backend
    ) throws {
        try self.init(
            cell: cell, configuration: configuration, data: data, vocabulary: vocabulary, on: backend
        ) { store, values in
            backend.upload(try store.weights(from: path, cell: cell.name), to: values)
        }
    }

    private init(
        cell: any RecurrentCell, configuration: ModelConfiguration, data: DatasetDescription, vocabulary: Vocabulary?,
        on backend: any Backend, fill: (ParameterStore, MatrixView) throws -> Void
    ) throws {
        if let vocabulary, data.inputs != .tokens(vocabulary: vocabulary.count) {
            throw RecurrentError.invalidOption(
                "the vocabulary has \(vocabulary.count) tokens, but the model's inputs are \(data.inputs.summary)")
        }
        (self.cell, self.configuration, self.data, self.vocabulary) = (cell, configuration, data, vocabulary)
        self.backend = backend
        let store = ParameterStore()
        let (stack, projection) = try SequenceModel.layers(
            cell, configuration.withoutDropout, data, parameters: store, on: backend)
        parameters = store.entries
        values = try backend.allocate(rows: 1, columns: max(store.count, 1))
        try fill(store, values)
        store.share(values.memory)

        let embedding = stack.embedding.map { store.value($0.weight) }
        programs = try stack.layers.enumerated().map { index, layer in
            try StepProgram(layer, inputsFrom: index == 0 ? embedding : nil, store, on: backend)
        }
        table = programs[0].readsInput ? embedding : nil
        self.projection = (try backend.prepare(projection.weightView.transposed), projection.biasView)
        backend.synchronize()
    }

    /// Returns the values of a parameter, row by row; nil if there is none of this name.
    ///
    /// - Parameter name: the name in saved models, such as `rnn.weight_hh_l0`.
    public func values(of name: String) -> [Float]? {
        parameters.first { $0.name == name }.map { parameter in
            backend.download(values.columns(parameter.offset..<parameter.offset + parameter.count))
        }
    }

    /// Creates a session, whose states are zeros, as those of a new sequence.
    ///
    /// A session belongs to one task at a time, and sessions of several tasks compute at the same time where the backend
    /// can, as the CPU's does; other backends compute their steps one after another.
    ///
    /// - Parameter streams: the number of sequences, at least 1.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if `streams` is below 1, or what the backend throws.
    public func makeSession(streams: Int = 1) throws -> sending InferenceSession {
        guard streams >= 1 else {
            throw RecurrentError.invalidOption("a session needs at least 1 stream, not \(streams)")
        }
        return try InferenceSession(self, streams: streams)
    }
}

extension ModelConfiguration {
    /// The configuration for inference; zoneout stays, as units move by its expectation.
    var withoutDropout: ModelConfiguration {
        var result = self
        (result.dropout, result.embeddingDropout, result.weightDropout, result.locksDropout) = (0, 0, 0, false)
        return result
    }
}

extension DatasetDescription.Inputs {
    /// The inputs in words, such as `tokens of a vocabulary of 10000`.
    var summary: String {
        switch self {
        case .tokens(let vocabulary): "tokens of a vocabulary of \(vocabulary)"
        case .vectors(let width): "vectors of \(width) numbers"
        }
    }
}
