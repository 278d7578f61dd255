import ArgumentParser
import RecurrentCore

extension RecurrentInitialization: ExpressibleByArgument {}

/// The options of `train` and `compare`. What isn't given takes the data set's
/// default.
struct TrainOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: ArgumentHelp("Activation of the cell (default: relu for rnn and urnn, tanh for gru and ugru)."))
    var activation: String?
    @Option(parsing: .unconditional, help: "Slope of leaky-relu below 0 (default: 0.5).")
    var slope: Double?
    @Option(parsing: .unconditional, help: "Where a GRU's reset gate acts: after or before the product (default: after, as torch).")
    var resetGate: String?
    @Option(parsing: .unconditional, help: "Start of unconstrained recurrent weights: uniform, identity, orthogonal or rotations (default: uniform).")
    var recurrentInit: RecurrentInitialization?

    @Option(parsing: .unconditional, help: "Data set (default: recall).")
    var dataset: String?
    @Option(parsing: .unconditional, help: "Toy tasks: length N of the sequences (default: 100).")
    var length: Int?
    @Option(parsing: .unconditional, help: "recall: number of symbols M (default: 10).")
    var symbols: Int?
    @Option(parsing: .unconditional, help: "kth-largest: which number is asked for (default: 10).")
    var k: Int?
    @Option(parsing: .unconditional, help: "Toy tasks: training sequences (default: 10000).")
    var trainSize: Int?
    @Option(parsing: .unconditional, help: "Toy tasks: validation sequences (default: 1000).")
    var validSize: Int?
    @Option(parsing: .unconditional, help: "Toy tasks: test sequences (default: 1000).")
    var testSize: Int?
    @Flag(help: "Toy tasks: draw new training sequences each epoch.")
    var freshData = false
    @Option(parsing: .unconditional, help: "Folder of a corpus (default: $PTB_DIR).")
    var data: String?
    @Option(parsing: .unconditional, help: "Corpora: steps of truncated backpropagation (default: 35).")
    var bptt: Int?

    @Option(parsing: .unconditional, help: "Backend (default: cpu).")
    var backend: String?
    @Option(parsing: .unconditional, help: "Threads of the CPU backend (default: one per processor).")
    var threads: Int?
    @OptionGroup var deviceOptions: DeviceOptions

    @Option(parsing: .unconditional, help: "Width E of the embedding (default: 30; ptb: 400).")
    var embeddingSize: Int?
    @Option(parsing: .unconditional, help: "Width H of the state (default: 50; ptb: 200).")
    var hiddenSize: Int?
    @Option(parsing: .unconditional, help: "Stacked recurrent layers (default: 1).")
    var layers: Int?
    @Option(parsing: .unconditional, help: "Dropout rate (default: 0.2).")
    var dropout: Double?
    @Option(parsing: .unconditional, help: "Where dropout acts, separated by commas: embedding, output, logits (default: logits; ptb: embedding,output).")
    var dropoutOn: String?

    @Option(parsing: .unconditional, help: "Optimizer (default: adam).")
    var optimizer: String?
    @Option(parsing: .unconditional, help: "Learning rate (default: 0.001; ptb: 0.0001).")
    var learningRate: Double?
    @Option(parsing: .unconditional, help: "Momentum of sgd (default: 0).")
    var momentum: Double?
    @Flag(help: "Nesterov momentum for sgd.")
    var nesterov = false
    @Option(parsing: .unconditional, help: "Clip each element of the recurrent weights' gradients to ± this (default: none; ptb: 0.25).")
    var clipRecurrent: Double?
    @Option(parsing: .unconditional, help: "Learning rate of free recurrent weights (default: the learning rate).")
    var recurrentLearningRate: Double?
    @OptionGroup var regularization: RegularizationOptions
    @Option(parsing: .unconditional, help: "Manifold update of orthogonal weights (default: exponential).")
    var manifold: String?
    @Option(parsing: .unconditional, help: "Learning rate of the skew parameters (default: the learning rate).")
    var manifoldLearningRate: Double?
    @Option(parsing: .unconditional, help: "Start of the skew parameters (default: zero, so W = I).")
    var skewInit: String?

    @Option(parsing: .unconditional, help: "Sequences per batch (default: 100; ptb: 80).")
    var batchSize: Int?
    @Option(parsing: .unconditional, help: "Sequences per batch in validation and test (default: the batch size; ptb: 10).")
    var evaluationBatchSize: Int?
    @Option(parsing: .unconditional, help: "Largest number of epochs (default: 200; ptb: 10).")
    var epochs: Int?
    @Option(parsing: .unconditional, help: "Train on this many batches per epoch at most (default: all).")
    var batchesPerEpoch: Int?
    @Option(parsing: .unconditional, help: "Stop after this many epochs without a better validation loss (default: never).")
    var patience: Int?
    @Option(parsing: .unconditional, help: "Stop once the validation loss is below this (default: 0.005 for the toy tasks).")
    var stopLoss: Double?
    @Option(parsing: .unconditional, help: "With --output: save for --resume after this many steps (500) or minutes (10m), besides each epoch's end.")
    var checkpointEvery: String?
    @Option(parsing: .unconditional, help: "Seed of everything random (default: 1).")
    var seed: UInt64?

    /// The data set's defaults, overridden by what was given.
    func resolve(cell: String?) throws -> RunConfiguration {
        var result = RunConfiguration()
        if let dataset { result.dataset = dataset }
        try Registry.current.dataset(result.dataset).defaults(&result)
        return try applied(to: result, cell: cell)
    }

    /// Another configuration, overridden by what was given.
    func applied(to configuration: RunConfiguration, cell: String?) throws -> RunConfiguration {
        var result = configuration
        func take<Value>(_ value: Value?, _ path: WritableKeyPath<RunConfiguration, Value>) {
            if let value { result[keyPath: path] = value }
        }
        func take<Value>(_ value: Value?, _ path: WritableKeyPath<RunConfiguration, Value?>) {
            if let value { result[keyPath: path] = value }
        }
        take(dataset, \.dataset)
        take(cell, \.cell)
        take(activation, \.activation)
        take(slope, \.slope)
        take(resetGate, \.resetGate)
        take(recurrentInit, \.recurrentInit)
        take(length, \.length)
        take(symbols, \.symbols)
        take(k, \.k)
        take(trainSize, \.trainSize)
        take(validSize, \.validSize)
        take(testSize, \.testSize)
        if freshData { result.freshData = true }
        take(data, \.data)
        take(bptt, \.bptt)
        take(backend, \.backend)
        take(threads, \.threads)
        try deviceOptions.apply(to: &result)
        take(embeddingSize, \.embeddingSize)
        take(hiddenSize, \.hiddenSize)
        take(layers, \.layers)
        take(dropout, \.dropout)
        if let dropoutOn { result.dropoutOn = try Self.places(dropoutOn) }
        take(optimizer, \.optimizer)
        take(learningRate, \.learningRate)
        take(momentum, \.momentum)
        if nesterov { result.nesterov = true }
        take(clipRecurrent, \.clipRecurrent)
        take(recurrentLearningRate, \.recurrentLearningRate)
        take(manifold, \.manifold)
        take(manifoldLearningRate, \.manifoldLearningRate)
        take(skewInit, \.skewInit)
        take(batchSize, \.batchSize)
        take(evaluationBatchSize, \.evaluationBatchSize)
        take(epochs, \.epochs)
        take(batchesPerEpoch, \.batchesPerEpoch)
        take(patience, \.patience)
        take(stopLoss, \.stopLoss)
        take(checkpointEvery, \.checkpointEvery)
        take(seed, \.seed)
        try regularization.apply(to: &result)
        try result.validate()
        return result
    }

    private static func places(_ text: String) throws -> [ModelConfiguration.DropoutPlace] {
        try text.split(separator: ",").map { name in
            guard let place = ModelConfiguration.DropoutPlace(rawValue: String(name)) else {
                throw RecurrentError.unknownName(
                    kind: "place of dropout", name: String(name),
                    known: ModelConfiguration.DropoutPlace.allCases.map(\.rawValue))
            }
            return place
        }
    }
}
