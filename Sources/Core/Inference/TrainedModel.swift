/// A trained model for use in a program: immutable weights that any number of tasks share.
///
/// Each task makes a session, which holds the states of its own sequences:
///
///     let model = try TrainedModel(sequenceModel, vocabulary: vocabulary)
///     let session = try model.makeSession(streams: 64)
///     let probabilities = try session.probabilities(after: tokens)
///
/// Dimensions: V tokens or classes, E input width, H hidden width.
public final class TrainedModel: Sendable {
    /// The equations of all recurrent layers.
    public let cell: any RecurrentCell
    /// The model's sizes; what concerns training alone, such as dropout, does nothing here.
    public let configuration: ModelConfiguration
    /// The form of the inputs and predictions.
    public let data: DatasetDescription
    /// The tokens of a language model; nil for other models.
    public let vocabulary: Vocabulary?
    /// The backend that holds the weights.
    public let backend: any Backend
    /// The names and shapes of all parameters.
    public let parameters: [ParameterStore.Parameter]
    /// The values of all parameters, one after another.
    let values: MatrixView

    /// Creates a model from the present weights of one that is trained, which are copied.
    ///
    /// - Parameters:
    ///   - model: the model, which may be trained on.
    ///   - vocabulary: the tokens of a language model.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if there are more or fewer tokens than the model has, or what the
    ///   backend throws.
    public init(_ model: SequenceModel, vocabulary: Vocabulary? = nil) throws {
        let backend = model.backend
        values = try backend.allocate(rows: 1, columns: model.parameters.count)
        backend.copy(model.parameters.allValues, to: values)
        (cell, configuration, data) = (model.cell, model.configuration, model.data)
        self.backend = backend
        self.vocabulary = vocabulary
        parameters = model.parameters.entries
        if let vocabulary, data.inputs != .tokens(vocabulary: vocabulary.count) {
            throw RecurrentError.invalidOption("the vocabulary has \(vocabulary.count) tokens, the model another number")
        }
    }

    /// Returns the values of a parameter, row by row; nil if there is none of this name.
    ///
    /// - Parameter name: the name in saved models, such as `rnn.weight_hh_l0`.
    public func values(of name: String) -> [Float]? {
        parameters.first { $0.name == name }.map { parameter in
            backend.download(values.columns(parameter.offset..<parameter.offset + parameter.count))
        }
    }
}
