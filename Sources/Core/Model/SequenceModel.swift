/// Embedding → dropout → recurrent layers → dropout → projection → loss, on one backend.
///
/// Dimensions: T steps, B sequences, embedding width E, hidden width H, output width O (H, unless the cell's output
/// consists of several states), and V classes, or V = 1 where a number is predicted.
public final class SequenceModel {
    /// The equations of all recurrent layers.
    public let cell: any RecurrentCell
    /// The model's sizes and choices, as they were given.
    public let configuration: ModelConfiguration
    /// The form of the data that the model was built for; it names the loss.
    public let data: DatasetDescription
    /// The backend that the model runs on.
    public let backend: any Backend
    /// The seed of the parameters' initial values and of all masks.
    public let seed: UInt64
    /// All parameters and their gradients.
    public let parameters = ParameterStore()
    /// The recurrent layers, from the bottom up.
    public var recurrentLayers: [RecurrentLayer] { stack.layers }
    /// The states of the shards that this process computes, if they are several: the layers hold those of the last one.
    var carriedShards: [CarriedStates] = []
    let stack: LayerStack
    let projection: LinearLayer
    private let loss: any LossExecutor

    /// Creates a model and initializes its parameters from `seed`.
    ///
    /// - Throws: ``RecurrentError`` for sizes out of range, a loss that doesn't fit the
    ///   targets, or a cell that is wrong, or what the backend throws.
    public init(
        cell: any RecurrentCell, configuration: ModelConfiguration, data: DatasetDescription,
        on backend: any Backend, seed: UInt64 = 1
    ) throws {
        self.cell = cell
        self.configuration = configuration
        self.data = data
        self.backend = backend
        self.seed = seed
        (stack, projection) = try Self.layers(cell, configuration, data, parameters: parameters, on: backend)
        try parameters.allocate(on: backend)
        loss = try data.loss.makeExecutor(for: data, width: configuration.outputSize(of: cell), on: backend)
        try initialize()
    }

    /// Creates all layers of a model, which declare their parameters in the order in which they are saved.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the configuration doesn't fit the data, or what the backend throws.
    static func layers(
        _ cell: any RecurrentCell, _ configuration: ModelConfiguration, _ data: DatasetDescription,
        parameters: ParameterStore, on backend: any Backend
    ) throws -> (stack: LayerStack, projection: LinearLayer) {
        try configuration.check()
        try configuration.checkTies(to: cell)
        let stack = try LayerStack(
            cell, configuration: configuration, inputs: data.inputs, parameters: parameters, on: backend)
        guard !configuration.tiesEmbedding || stack.embedding?.vocabulary == data.classes else {
            throw RecurrentError.invalidOption(
                "`tied` needs data whose targets are tokens; this data set's classes aren't its input tokens")
        }
        let projection = LinearLayer(
            name: "decoder", inputWidth: configuration.outputSize(of: cell), outputWidth: data.classes,
            tied: configuration.tiesEmbedding ? stack.embedding?.weight : nil, parameters: parameters, on: backend)
        return (stack, projection)
    }

    private func initialize() throws {
        let initializer = ParameterInitializer(seed: seed, parameters: parameters, on: backend)
        for layer in recurrentLayers {
            try initializer.fill(layer, weights: configuration.recurrentInitialization)
        }
        if let embedding = stack.embedding { initializer.fill(embedding, configuration.tableInitialization) }
        initializer.fill(projection, configuration.tableInitialization)
    }

    /// Computes the loss and the gradients of one batch; the gradients are overwritten.
    ///
    /// - Parameters:
    ///   - batch: the inputs and targets.
    ///   - step: the training step, which keys the dropout masks.
    /// - Returns: the sums over the batch's targets.
    /// - Throws: ``RecurrentError/dataset(_:)`` if the batch hasn't the form of ``data``, or what the backend throws.
    public func computeGradients(_ batch: Batch, step: Int) throws -> LossSums {
        try startGradients(batch, step: step).sums()
    }

    /// Computes the loss and the gradients of one batch without waiting for the device: what
    /// the backend does next may use the gradients, and the loss is read later.
    ///
    /// - Throws: what the backend throws.
    public func startGradients(_ batch: Batch, step: Int) throws -> PendingLoss {
        try startGradients(batch, step: step, lowest: 0)
    }

    /// Computes the loss of one batch, and the gradients of the layers from `lowest` on.
    func startGradients(_ batch: Batch, step: Int, lowest: Int) throws -> PendingLoss {
        backend.fill(parameters.allGradients, with: 0)
        return try addGradients(batch, masks: MaskKeys(seed: seed, step: step), lowest: lowest)
    }

    /// Computes the loss of a batch or a shard, and adds its gradients to those that are there.
    ///
    /// - Parameters:
    ///   - masks: the keys of its masks.
    ///   - carried: the states that the shard carries over; nil if each layer keeps them, as nothing else is computed.
    ///   - lowest: the lowest layer whose gradients are needed; see ``LayerStack/lowestTrained(isFrozen:)``.
    func addGradients(
        _ batch: Batch, masks: MaskKeys, carried: CarriedStates? = nil, lowest: Int = 0
    ) throws -> PendingLoss {
        let loss = try start(batch, masks: masks, carried: carried, lowest: lowest)
        try stack.backward()
        return loss
    }

    /// Computes the loss of one batch, without dropout and gradients.
    ///
    /// - Throws: what the backend throws.
    public func evaluate(_ batch: Batch) throws -> LossSums { try startEvaluation(batch).sums() }

    /// Computes the loss of one batch, without dropout and gradients, and without waiting for
    /// the device.
    ///
    /// - Throws: what the backend throws.
    public func startEvaluation(_ batch: Batch) throws -> PendingLoss { try start(batch, masks: nil) }

    /// Computes the loss of a shard, without dropout and gradients, given the states that it carries over.
    func startEvaluation(_ batch: Batch, carried: CarriedStates) throws -> PendingLoss {
        try start(batch, masks: nil, carried: carried)
    }

    /// Computes the loss and, in training (with masks), the gradient of the states that it reads.
    private func start(
        _ batch: Batch, masks: MaskKeys?, carried: CarriedStates? = nil, lowest: Int = 0
    ) throws -> PendingLoss {
        try batch.check(data)
        let carriesOver = data.isContinuous && !batch.startsSequences
        let values = try stack.forward(
            batch.inputs, steps: batch.steps, batch: batch.size, lengths: batch.lengths,
            initial: { layer in
                guard carriesOver else { return .zeros }
                return carried.map { .given($0.after[layer]) } ?? .carried
            },
            output: data.targets.isPerPosition ? .allSteps : .lastStep, masks: masks, lowest: lowest)
        if data.isContinuous { try carried?.keep(recurrentLayers, batch.size, on: backend) }
        let rate = configuration.dropoutPlaces.contains(.logits) ? configuration.dropout : 0
        return try loss.start(
            inputs: values, projection: projection, batch: batch,
            dropout: rate > 0 ? masks.map { (rate, $0.logits(layers: configuration.layers)) } : nil,
            gradient: masks == nil ? nil : stack.outputGradient)
    }

    /// Whether the first recurrent layer multiplies the embedding's rows instead of the vectors of all positions.
    package func readsTokens(positions: Int, isTraining: Bool) -> Bool {
        stack.readsTokens(positions: positions, isTraining: isTraining)
    }

    /// Returns the values of all parameters on the host, in the store's order.
    public func snapshot() -> [Float] { backend.download(parameters.allValues) }
    /// Restores the values of all parameters that ``snapshot()`` returned.
    public func restore(_ values: [Float]) { backend.upload(values, to: parameters.allValues) }
}
