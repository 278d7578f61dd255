import CUDABackend
import CoRNNCell
import GRUCell
import LEMCell
import LRUCell
import LSTMCell
import ManifoldUpdates
import MinGRUCell
import NNRNNCell
import RecurrentCore
import RecurrentOptimizers
import RecurrentTestSupport
import ReferenceBackend
import Testing
import UGRUCell
import URNNCell
import VanillaRNNCell

/// Checks for both the emulated device and a GPU, each with its own sizes.
enum DeviceChecks {
    /// Every cell of the package with every activation that it supports, and both positions
    /// of the reset gate.
    static let cells: [String: @Sendable () -> any RecurrentCell] = {
        let activations: [any Activation] = [
            Identity(), AbsoluteValue(), ReLU(), LeakyReLU(slope: 0.5), Tanh(), Sigmoid(), Softsign(), GELU(), SiLU(),
            ModReLU(), PReLU(), Snake(),
        ]
        var result: [String: @Sendable () -> any RecurrentCell] = [:]
        for activation in activations {
            result["lstm \(activation.name)"] = { LSTM(activation: activation) }
            result["rnn \(activation.name)"] = { VanillaRNN(activation: activation) }
            result["urnn \(activation.name)"] = { URNN(activation: activation) }
            for gate in ResetGate.allCases {
                result["gru \(activation.name) \(gate)"] = { GRU(activation: activation, resetGate: gate) }
                result["ugru \(activation.name) \(gate)"] = { UGRU(activation: activation, resetGate: gate) }
            }
        }
        for damping in CoRNN.DampingScheme.allCases {
            result["cornn \(damping)"] = {
                var options = CoRNN.Options()
                options.dampingScheme = damping
                return CoRNN(options: options)
            }
        }
        result["lem"] = { LEM() }
        result["mingru"] = { MinGRU() }
        result["complex"] = { ComplexCell() }
        result["lru"] = { LRU() }
        result["nnrnn tanh"] = { NNRNN(activation: Tanh()) }
        return result
    }()

    /// The cells with their defaults, and the GRU with two products per step.
    static let standardCells = ["rnn relu", "urnn abs", "gru tanh after", "gru tanh before", "ugru tanh after"]

    /// Cells with two states, of which one has two products in a row, and one without any product in its time loop.
    static let otherCells = ["lem", "lru"]

    /// Each cell and each activation at least once: compiling a kernel for the host takes a while.
    static let emulatedCells = Set(
        cells.keys.filter { $0.hasPrefix("rnn ") } + standardCells + otherCells + [
            "ugru modrelu before", "urnn leaky-relu", "complex",
            // Multiplies by a weight and its transpose. Its training isn't compared: some directions of its orthogonal weight
            // have a gradient of zero, and Adam turns the rounding there into steps.
            "nnrnn tanh",
        ]
    ).sorted()

    static let manifolds: [any ManifoldUpdate] = [
        ExponentialUpdate(), ExponentialUpdate(method: .eigendecomposition), ExactExponentialUpdate(), CayleyUpdate(),
    ]

    static let optimizer = Adam(), skew = HenaffSkew()

    struct Sizes {
        var vocabulary = 9, embedding = 5, hidden = 6, steps = 7, batch = 3, layers = 1
    }

    /// Returns the losses of some training steps on fixed batches (with dropout everywhere, Adam
    /// and the paper's update), and the parameters afterwards.
    static func train(
        _ cell: any RecurrentCell, on backend: any Backend, sizes: Sizes = Sizes(), updates: Int = 5
    ) throws -> (losses: [Double], values: [Double]) {
        let description = DatasetDescription(
            inputs: .tokens(vocabulary: sizes.vocabulary), targets: .positionClass(classes: sizes.vocabulary),
            isContinuous: true,
            metric: .perplexity)
        let model = try SequenceModel(
            cell: cell,
            configuration: ModelConfiguration(
                embeddingSize: sizes.embedding, hiddenSize: sizes.hidden, layers: sizes.layers, dropout: 0.25,
                dropoutPlaces: [.embedding, .output, .logits]),
            data: description, on: backend, seed: 3)
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: HenaffSkew(),
            configuration: .init(clipNorm: 5, clipRecurrent: 0.25))
        var random = RandomStream(RandomKey(seed: 5, purpose: .test))
        let rows = sizes.steps * sizes.batch
        var losses: [Double] = []
        for step in 0..<updates {
            let batch = Batch(
                steps: sizes.steps, size: sizes.batch,
                inputs: .tokens((0..<rows).map { _ in Int32(random.integer(below: sizes.vocabulary)) }),
                targets: (0..<rows).map { $0 % 11 == 10 ? -1 : Int32(random.integer(below: sizes.vocabulary)) },
                startsSequences: step == 0)
            losses.append(try model.computeGradients(batch, step: step).meanLoss)
            try updater.update(learningRate: 0.01)
        }
        return (losses, backend.download(model.parameters.allValues))
    }

    /// Returns `‖WᵀW − I‖_max` of the first layer's orthogonal weight after some steps.
    static func deviation(of cell: any RecurrentCell, on backend: any Backend, hidden n: Int) throws -> Double {
        let description = DatasetDescription(
            inputs: .tokens(vocabulary: 7), targets: .sequenceClass(classes: 7), isContinuous: false, metric: .accuracy)
        let model = try SequenceModel(
            cell: cell, configuration: ModelConfiguration(embeddingSize: 5, hiddenSize: n), data: description,
            on: backend)
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: HenaffSkew())
        for step in 0..<3 {
            let batch = Batch(steps: 4, size: 3, inputs: .tokens((0..<12).map { $0 % 7 }), targets: [1, 4, 2])
            _ = try model.computeGradients(batch, step: step)
            try updater.update(learningRate: 0.01)
        }
        let w: [Double] = backend.download(model.parameters.value(of: updater.constrained[0].block))
        var largest = 0.0
        for i in 0..<n {
            for j in 0..<n {
                let product = (0..<n).reduce(i == j ? -1.0 : 0.0) { $0 + w[$1 * n + i] * w[$1 * n + j] }
                largest = max(largest, product.isFinite ? abs(product) : .infinity)
            }
        }
        return largest
    }

    static func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
        precondition(a.count == b.count)
        // NaN differs from everything.
        return zip(a, b).map { $0.isFinite && $1.isFinite ? abs($0 - $1) : .infinity }.max() ?? 0
    }
}
