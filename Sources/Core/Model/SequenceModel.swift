/// Embedding → dropout → recurrent layers → dropout → projection → softmax
/// cross-entropy, on one backend.
///
/// Dimensions: T steps, B sequences, E embedding, H hidden, V classes.
public final class SequenceModel {
    public let cell: any RecurrentCell
    public let configuration: ModelConfiguration
    public let data: DatasetDescription
    public let backend: any Backend
    public let seed: UInt64
    public let parameters = ParameterStore()
    public let recurrentLayers: [RecurrentLayer]
    let embedding: EmbeddingLayer?
    let projection: LinearLayer
    private let loss: any SoftmaxCrossEntropy
    /// In its place where the targets are numbers.
    private let squaredError: SquaredError?
    private let dropout: DropoutLayer?
    /// Copies of the recurrent layers' outputs, masked; one layer object each, as
    /// the copies must last until the backward pass.
    private let outputDropout: [DropoutLayer]
    private let vectorInput: Scratch

    /// Builds the model and fills its parameters from `seed`.
    /// - Throws: ``RecurrentError`` for sizes out of range, or what the backend throws.
    public init(
        cell: any RecurrentCell, configuration: ModelConfiguration, data: DatasetDescription,
        backend: any Backend, seed: UInt64 = 1
    ) throws {
        try configuration.check()
        self.cell = cell
        self.configuration = configuration
        self.data = data
        self.backend = backend
        self.seed = seed
        let width: Int
        switch data.inputs {
        case .tokens(let vocabulary):
            embedding = try EmbeddingLayer(
                name: "encoder", vocabulary: vocabulary, width: configuration.embeddingSize,
                dropout: configuration.embeddingDropout, parameters: parameters, backend: backend)
            width = configuration.embeddingSize
        case .vectors(let size):
            guard configuration.embeddingDropout == 0 else {
                throw RecurrentError.invalidOption("embedding dropout needs data of tokens; this data set's inputs are vectors")
            }
            embedding = nil
            width = size
        }
        let parameters = self.parameters
        recurrentLayers = (0..<configuration.layers).map { index in
            RecurrentLayer(
                cell, index: index, inputWidth: index == 0 ? width : configuration.hiddenSize,
                hiddenWidth: configuration.hiddenSize, weightDropout: configuration.weightDropout,
                zoneout: configuration.zoneout, parameters: parameters, backend: backend)
        }
        guard !configuration.tiesEmbedding || embedding?.vocabulary == data.classes else {
            throw RecurrentError.invalidOption(
                "a tied embedding needs data whose targets are tokens; this data set's classes are others")
        }
        projection = LinearLayer(
            name: "decoder", inputWidth: configuration.hiddenSize, outputWidth: data.classes,
            tied: configuration.tiesEmbedding ? embedding?.weight : nil, parameters: parameters, backend: backend)
        try parameters.allocate(on: backend)
        loss = try backend.makeSoftmaxCrossEntropy(
            classes: data.classes, width: configuration.hiddenSize, unrated: data.unratedClass)
        squaredError = data.targets == .sequenceValue ? try SquaredError(on: backend) : nil
        let rate = configuration.dropout
        func layer() throws -> DropoutLayer {
            try DropoutLayer(rate: rate, isLocked: configuration.locksDropout, backend: backend)
        }
        dropout = rate > 0 ? try layer() : nil
        outputDropout = try rate > 0 ? (0..<configuration.layers).map { _ in try layer() } : []
        vectorInput = Scratch(backend)
        initialize()
    }

    private func initialize() {
        let initializer = Initializer(seed: seed, backend: backend, parameters: parameters)
        for layer in recurrentLayers {
            initializer.recurrent(layer, weights: configuration.recurrentInitialization)
        }
        switch configuration.tableInitialization {
        case .torch:
            if let embedding { initializer.normal(embedding.weight) }
            let bound = 1 / Double(configuration.hiddenSize).squareRoot()
            initializer.uniform(projection.weight, bound: bound)
            initializer.uniform(projection.bias, bound: bound)
        case .languageModel:
            if let embedding { initializer.uniform(embedding.weight, bound: 0.1) }
            initializer.uniform(projection.weight, bound: 0.1)
            backend.fill(parameters.value(projection.bias), with: 0)
        }
    }

    private var isPerPosition: Bool {
        if case .positionClass = data.targets { true } else { false }
    }

    private func key(_ place: Int, step: Int) -> RandomKey {
        RandomKey(seed: seed, purpose: .dropout, stream: place, step: step)
    }

    // Streams of masks: places of dropout come first, a layer each.
    private static let wordMask = 1 << 20, firstWeightMask = 1 << 21, firstZoneoutMask = 1 << 22

    private func drops(_ place: ModelConfiguration.DropoutPlace) -> Bool {
        dropout != nil && configuration.dropoutPlaces.contains(place)
    }

    /// Loss and gradients of one batch; gradients are overwritten.
    ///
    /// - Parameters:
    ///   - batch: inputs and targets.
    ///   - step: the training step; it keys the dropout masks.
    public func computeGradients(_ batch: Batch, step: Int) throws -> LossSums {
        try startGradients(batch, step: step).sums()
    }

    /// The same, without waiting for the device: gradients may be used by what the
    /// backend is asked for next, and the loss is read later.
    public func startGradients(_ batch: Batch, step: Int) throws -> PendingLoss {
        backend.fill(parameters.allGradients, with: 0)
        let loss = try forward(batch, training: true, step: step)
        try backward(batch, step: step)
        return loss
    }

    /// Loss of one batch, without dropout and gradients.
    public func evaluate(_ batch: Batch) throws -> LossSums { try startEvaluation(batch).sums() }

    /// The same, without waiting for the device.
    public func startEvaluation(_ batch: Batch) throws -> PendingLoss {
        try forward(batch, training: false, step: 0)
    }

    private func forward(_ batch: Batch, training: Bool, step: Int) throws -> PendingLoss {
        var values = try inputs(batch, training: training, step: step)
        if training, drops(.embedding), embedding != nil {
            try dropout!.apply(inPlace: values, batch: batch.batch, key: key(0, step: step))
        }
        for (index, layer) in recurrentLayers.enumerated() {
            let isLast = index == recurrentLayers.count - 1
            values = try layer.forward(
                values, steps: batch.steps, batch: batch.batch,
                initial: data.isContinuous && !batch.startsSequences ? .carried : .zeros, lengths: batch.lengths,
                options: .init(
                    isTraining: training, usesOutputGradient: training && (isPerPosition || !isLast),
                    needsInputGradient: training && (index > 0 || embedding != nil)),
                maskKey: { [seed] in RandomKey(seed: seed, purpose: .dropout, stream: Self.firstWeightMask + $0, step: step) },
                zoneoutKey: key(Self.firstZoneoutMask + index, step: step))
            if isLast, !isPerPosition { values = layer.finalState(0) }
            if training, drops(.output) {
                values = try outputDropout[index].forward(values, batch: batch.batch, key: key(1 + index, step: step))
            }
        }
        let last = recurrentLayers[recurrentLayers.count - 1]
        let gradient = isPerPosition || !training ? nil : last.stateGradient(0)
        let target = training ? (gradient ?? last.outputGradient) : nil
        if let squaredError {
            let (sums, error) = try squaredError(try projection.forward(values), values: batch.values)
            if training { projection.backward(input: values, gradient: error, into: target) }
            return PendingLoss(sums)
        }
        return try loss.start(
            inputs: values, weight: projection.weightView, bias: projection.biasView, targets: batch.targets,
            dropout: training && drops(.logits)
                ? (configuration.dropout, key(1 + configuration.layers, step: step)) : nil,
            gradients: target.map { projection.gradients(inputs: $0) })
    }

    private func backward(_ batch: Batch, step: Int) throws {
        for (index, layer) in recurrentLayers.enumerated().reversed() {
            let isLast = index == recurrentLayers.count - 1
            if drops(.output) {
                let gradient = isLast && !isPerPosition ? layer.stateGradient(0) : layer.outputGradient
                try dropout!.apply(inPlace: gradient, batch: batch.batch, key: key(1 + index, step: step))
            }
            try layer.backward()
            if index > 0 { backend.copy(layer.inputGradient, to: recurrentLayers[index - 1].outputGradient) }
        }
        if let embedding {
            let gradient = recurrentLayers[0].inputGradient
            if drops(.embedding) { try dropout!.apply(inPlace: gradient, batch: batch.batch, key: key(0, step: step)) }
            try embedding.backward(gradient)
        }
    }

    private func inputs(_ batch: Batch, training: Bool, step: Int) throws -> MatrixView {
        switch batch.inputs {
        case .tokens(let ids):
            return try embedding!.forward(ids, key: training ? key(Self.wordMask, step: step) : nil)
        case .vectors(let values, let width):
            let view = try vectorInput.view(rows: batch.steps * batch.batch, columns: width)
            backend.upload(values, to: view)
            return view
        }
    }

    /// All parameters on the host, in the store's order.
    public func snapshot() -> [Float] { backend.download(parameters.allValues) }
    /// Puts back what ``snapshot()`` returned.
    public func restore(_ values: [Float]) { backend.upload(values, to: parameters.allValues) }
}
