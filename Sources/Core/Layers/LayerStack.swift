/// The embedding and the recurrent layers, one above the other: inputs go up through
/// them, and gradients back down.
///
/// A model trains and evaluates with a stack. What runs beside the model without disturbing
/// it (``GradientFlow``, ``Generator``) has a twin: a stack with the same parameters, but
/// other buffers and states.
final class LayerStack {
    /// The steps at which a pass returns the output of the last recurrent layer.
    enum Output { case allSteps, lastStep }

    /// The embedding; nil where the inputs are vectors already.
    let embedding: EmbeddingLayer?
    let layers: [RecurrentLayer]
    private let dropout: Dropout?
    /// Whether the stack is a twin, whose first layer always reads vectors.
    private let isTwin: Bool
    private let backend: any Backend
    private let vectors: Scratch
    /// The last pass, if it was one of training: the one that `backward` belongs to.
    private var trained: Pass?

    /// A pass of training.
    private struct Pass {
        let output: Output
        let batch: Int
        let masks: MaskKeys
        /// Whether the first recurrent layer reads tokens, and does what is left of the embedding's part as well.
        let readsTokens: Bool
        /// The lowest layer with something to train.
        let lowest: Int
    }

    /// The dropout of what the layers pass on.
    private struct Dropout {
        let places: Set<ModelConfiguration.DropoutPlace>
        let inPlace: DropoutLayer
        /// The dropout layers that copy the recurrent layers' outputs; one for each of them,
        /// since the copies must last until the backward pass.
        let copies: [DropoutLayer]
    }

    /// Creates all layers, which declare their parameters.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for dropout of words where there are
    ///   none, ``RecurrentError/cell(_:)`` for a cell that is wrong, or what the backend throws.
    init(
        _ cell: any RecurrentCell, configuration: ModelConfiguration, inputs: DatasetDescription.Inputs,
        parameters: ParameterStore, on backend: any Backend
    ) throws {
        let width: Int
        switch inputs {
        case .tokens(let vocabulary):
            width = configuration.embeddingSize
            embedding = try EmbeddingLayer(
                name: "encoder", vocabulary: vocabulary, width: width, dropout: configuration.embeddingDropout,
                parameters: parameters, on: backend)
        case .vectors(let size):
            guard configuration.embeddingDropout == 0 else {
                throw RecurrentError.invalidOption(
                    "`embeddingDropout` needs inputs that are tokens; this data set's inputs are vectors")
            }
            width = size
            embedding = nil
        }
        layers = try (0..<configuration.layers).map { index in
            try RecurrentLayer(
                cell, index: index, inputWidth: index == 0 ? width : configuration.outputSize(of: cell),
                hiddenWidth: configuration.hiddenSize, weightDropout: configuration.weightDropout,
                zoneout: configuration.zoneout, parameters: parameters, on: backend)
        }
        func layer() throws -> DropoutLayer {
            try DropoutLayer(rate: configuration.dropout, isLocked: configuration.locksDropout, on: backend)
        }
        dropout =
            configuration.dropout > 0
            ? Dropout(
                places: configuration.dropoutPlaces, inPlace: try layer(), copies: try layers.map { _ in try layer() })
            : nil
        isTwin = false
        self.backend = backend
        vectors = Scratch(backend)
    }

    /// Returns a stack for inference that shares the parameters but not the buffers and states.
    ///
    /// - Parameter count: how many recurrent layers it has, from the bottom up; nil for all.
    func twin(layers count: Int? = nil) -> LayerStack { LayerStack(twinOf: self, layers: count ?? layers.count) }

    private init(twinOf other: LayerStack, layers count: Int) {
        embedding = other.embedding?.twin()
        layers = other.layers[..<count].map { $0.twin() }
        dropout = nil
        isTwin = true
        backend = other.backend
        vectors = Scratch(backend)
    }

    private var last: RecurrentLayer { layers[layers.count - 1] }

    private func dropout(at place: ModelConfiguration.DropoutPlace) -> Dropout? {
        dropout.flatMap { $0.places.contains(place) ? $0 : nil }
    }

    /// Carries inputs up through all layers.
    ///
    /// - Parameters:
    ///   - inputs: the inputs at T·B positions.
    ///   - steps: the number T of steps.
    ///   - batch: the number B of sequences.
    ///   - lengths: the lengths of the B sequences; nil if all are T.
    ///   - initial: each recurrent layer's states before the first step.
    ///   - output: the steps whose states are returned.
    ///   - masks: the keys of this training step's masks; nil for a pass without training.
    ///   - lowest: the lowest layer that the backward pass must reach, as ``lowestTrained(isFrozen:)`` returns it.
    /// - Returns: the output of the last layer: after all steps, [T·B, O], or after the
    ///   last step, [B, O].
    /// - Throws: what the backend throws.
    func forward(
        _ inputs: Batch.Inputs, steps: Int, batch: Int, lengths: [Int]? = nil,
        initial: (_ layer: Int) -> RecurrentLayer.InitialStates, output: Output, masks: MaskKeys? = nil,
        lowest: Int = 0
    ) throws -> MatrixView {
        let isTraining = masks != nil
        let first = try embed(inputs, steps: steps, batch: batch, masks: masks)
        var values: MatrixView?
        for (index, layer) in layers.enumerated() {
            let isLast = index == layers.count - 1
            values = try layer.forward(
                values.map { .vectors($0) } ?? first, steps: steps, batch: batch, initial: initial(index),
                lengths: lengths,
                options: .init(
                    isTraining: isTraining, usesOutputGradient: isTraining && (output == .allSteps || !isLast),
                    needsInputGradient: isTraining && index + 1 > lowest && (index > 0 || embedding != nil)),
                maskKey: masks.map { masks in { masks.weight(parameter: $0) } },
                zoneoutKey: masks?.zoneout(layer: index))
            if isLast, output == .lastStep { values = layer.finalOutput }
            if let masks, let dropout = dropout(at: .output) {
                values = try dropout.copies[index].forward(values!, batch: batch, key: masks.output(layer: index))
            }
        }
        let readsTokens = if case .tokens = first { true } else { false }
        trained = masks.map {
            Pass(output: output, batch: batch, masks: $0, readsTokens: readsTokens, lowest: lowest)
        }
        return values!
    }

    /// Whether the first recurrent layer reads tokens and multiplies the embedding's rows: no dropout changes them, and
    /// there are few enough.
    func readsTokens(positions: Int, isTraining: Bool) -> Bool {
        guard let embedding, !isTwin, layers[0].takesTokens else { return false }
        let isChanged = isTraining && (embedding.hasDropout || dropout(at: .embedding) != nil)
        return !isChanged && EmbeddedTokens.isWorthwhile(positions: positions, vocabulary: embedding.vocabulary)
    }

    /// Returns the first recurrent layer's input.
    private func embed(_ inputs: Batch.Inputs, steps: Int, batch: Int, masks: MaskKeys?) throws -> RecurrentInput {
        switch inputs {
        case .tokens(let ids):
            guard let embedding else { preconditionFailure("a model of vectors was given tokens") }
            if readsTokens(positions: ids.count, isTraining: masks != nil) {
                return .tokens(try embedding.tokens(ids))
            }
            let values = try embedding.forward(ids, key: masks?.words)
            if let masks, let dropout = dropout(at: .embedding) {
                try dropout.inPlace.apply(inPlace: values, batch: batch, key: masks.embedding)
            }
            return .vectors(values)
        case .vectors(let values, let width):
            let view = try vectors.view(rows: steps * batch, columns: width)
            backend.upload(values, to: view)
            return .vectors(view)
        }
    }

    /// Returns the lowest layer with something to train, to which gradients must come down: 0 for the embedding, 1 for the
    /// first recurrent layer, and one more than there are recurrent layers if all of them are frozen.
    func lowestTrained(isFrozen: (_ parameter: Int) -> Bool) -> Int {
        let own = [embedding.map { [$0.weight] } ?? []] + layers.map(\.parameterIndices)
        return own.firstIndex { !$0.allSatisfy(isFrozen) } ?? own.count
    }

    private var trainedPass: Pass {
        guard let trained else { preconditionFailure("gradients need a forward pass of training") }
        return trained
    }

    /// The place for the gradient of what `forward` returned, in the same shape.
    var outputGradient: MatrixView {
        trainedPass.output == .lastStep ? last.finalOutputGradient : last.outputGradient
    }

    /// Adds the parameters' gradients, which follow from ``outputGradient``.
    func backward() throws {
        let pass = trainedPass
        for (index, layer) in layers.enumerated().reversed() where index + 1 >= pass.lowest {
            if let dropout = dropout(at: .output) {
                let gradient = index == layers.count - 1 ? outputGradient : layer.outputGradient
                try dropout.inPlace.apply(inPlace: gradient, batch: pass.batch, key: pass.masks.output(layer: index))
            }
            try layer.backward()
            if index > 0, index + 1 > pass.lowest {
                backend.copy(layer.inputGradient, to: layers[index - 1].outputGradient)
            }
        }
        guard let embedding, pass.lowest == 0, !pass.readsTokens else { return }
        let gradient = layers[0].inputGradient
        if let dropout = dropout(at: .embedding) {
            try dropout.inPlace.apply(inPlace: gradient, batch: pass.batch, key: pass.masks.embedding)
        }
        try embedding.backward(gradient)
    }
}
