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
    @Option(parsing: .unconditional, help: "Length N of the sequences that recall, kth-largest and adding draw; copying: the delay T (default: 100).")
    var length: Int?
    @Option(parsing: .unconditional, help: "recall: number of symbols M (default: 10).")
    var symbols: Int?
    @Option(parsing: .unconditional, help: "kth-largest: which number is asked for (default: 10).")
    var k: Int?
    @Option(parsing: .unconditional, help: "Training sequences, of data that is drawn (default: 10000).")
    var trainSize: Int?
    @Option(parsing: .unconditional, help: "Validation sequences, of data that is drawn (default: 1000).")
    var validSize: Int?
    @Option(parsing: .unconditional, help: "Test sequences, of data that is drawn (default: 1000).")
    var testSize: Int?
    @Flag(inversion: .prefixedNo, help: "Draw new training sequences each epoch (default for copying and adding), or keep the same (default for recall and kth-largest).")
    var freshData: Bool?
    @Option(parsing: .unconditional, help: "Folder of a corpus (default: $PTB_DIR) or of digits (default: $MNIST_DIR).")
    var data: String?
    @Option(parsing: .unconditional, help: "Digits: labels are below this; EMNIST's letters need 27, for instance (default: 10).")
    var classes: Int?
    @Option(parsing: .unconditional, help: "permuted-digits: seed of the pixels' order, which --seed leaves as it is (default: 1).")
    var permutationSeed: UInt64?
    @Option(parsing: .unconditional, help: "Corpora: steps of truncated backpropagation (default: 35; ptb-char: 150).")
    var bptt: Int?

    @Option(parsing: .unconditional, help: "Backend (default: cpu).")
    var backend: String?
    @Option(parsing: .unconditional, help: "Threads of the CPU backend (default: one per processor).")
    var threads: Int?
    @OptionGroup var deviceOptions: DeviceOptions

    @Option(parsing: .unconditional, help: "Width E of the embedding (default: 30; ptb: 400; ptb-char: 200).")
    var embeddingSize: Int?
    @Option(parsing: .unconditional, help: "Width H of the state (default: 50; copying, adding, digits: 128; ptb: 200; ptb-char: 1024).")
    var hiddenSize: Int?
    @Option(parsing: .unconditional, help: "Stacked recurrent layers (default: 1).")
    var layers: Int?
    @Option(parsing: .unconditional, help: "Dropout rate (default: 0.2 for recall, kth-largest and ptb, else 0).")
    var dropout: Double?
    @Option(parsing: .unconditional, help: "Where dropout acts, separated by commas: embedding, output, logits (default: logits for recall and kth-largest; output for copying, adding and digits; embedding,output for corpora).")
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
    @Option(parsing: .unconditional, help: "Learning rate of the skew parameters (default: the learning rate; ptb-char: 0.0001).")
    var manifoldLearningRate: Double?
    @Option(parsing: .unconditional, help: "Start of the skew parameters (default: zero, so W = I; ptb-char: henaff).")
    var skewInit: String?

    @Option(parsing: .unconditional, help: "Sequences per batch (default: 100; ptb: 80; ptb-char: 128).")
    var batchSize: Int?
    @Option(parsing: .unconditional, help: "Sequences per batch in validation and test (default: the batch size; corpora: 10).")
    var evaluationBatchSize: Int?
    @Option(parsing: .unconditional, help: "Largest number of epochs (default: 200; ptb: 10; ptb-char: 20).")
    var epochs: Int?
    @Option(parsing: .unconditional, help: "Train on this many batches per epoch at most (default: all).")
    var batchesPerEpoch: Int?
    @Option(parsing: .unconditional, help: "Stop after this many epochs without a better validation loss (default: never).")
    var patience: Int?
    @Option(parsing: .unconditional, help: "Stop once the validation loss is below this (default: 0.005 for recall and kth-largest, else none).")
    var stopLoss: Double?
    @Option(parsing: .unconditional, help: "With --output: save for --resume after this many steps (500) or minutes (10m), besides each epoch's end.")
    var checkpointEvery: String?
    @Option(parsing: .unconditional, help: "Seed of everything random (default: 1).")
    var seed: UInt64?

    /// The data set's defaults, overridden by what was given.
    func resolve(cell: String?) throws -> RunConfiguration {
        try applied(to: Registry.current.dataset(dataset ?? RunConfiguration().dataset).standard, cell: cell)
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
        try checkDataOptions(for: result.dataset)
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
        take(freshData, \.freshData)
        take(data, \.data)
        take(classes, \.classes)
        take(permutationSeed, \.permutationSeed)
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
