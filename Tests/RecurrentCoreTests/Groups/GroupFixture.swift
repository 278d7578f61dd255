import CPUBackend
import GRUCell
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import ReferenceBackend
import UGRUCell

/// A model of a uGRU, whose packed weight has two free gates and an orthogonal block, with gradients that are set at will.
struct GroupFixture {
    static let block = "rnn.weight_hh_l0.W_n"
    let model: SequenceModel
    var backend: any Backend { model.backend }
    var parameters: ParameterStore { model.parameters }

    init(onCPU: Bool = false, cell: any RecurrentCell = UGRU()) throws {
        model = try SequenceModel(
            cell: cell, configuration: ModelConfiguration(embeddingSize: 5, hiddenSize: 6),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 40), targets: .positionClass(classes: 7), isContinuous: false,
                metric: .accuracy),
            on: onCPU ? try CPUBackend(threads: 1) : ReferenceBackend())
    }

    func updater(
        _ optimizer: any Optimizer, _ groups: [ParameterGroup] = [], manifold: any ManifoldUpdate = ExponentialUpdate(),
        _ change: (inout TrainingConfiguration) -> Void = { _ in }
    ) throws -> ParameterUpdater {
        var configuration = TrainingConfiguration(learningRate: 0.5)
        change(&configuration)
        return try ParameterUpdater(
            model: model, optimizer: optimizer, manifold: manifold, skewInitialization: UniformSkew(),
            configuration: configuration, groups: groups, measuresNorm: true)
    }

    /// Sets all gradients to numbers that depend on the step.
    func setGradients(step: Int) {
        var random = RandomStream(RandomKey(seed: 9, purpose: .shuffle, step: step))
        backend.upload(
            (0..<parameters.count).map { _ in random.uniform(in: -1...1) }, to: parameters.allGradients)
    }

    /// Trains for some steps, at a rate that changes.
    func train(_ updater: ParameterUpdater, steps: Range<Int> = 0..<4) throws {
        for step in steps {
            setGradients(step: step)
            try updater.update(learningRate: step == 0 ? 0.25 : 0.5)
        }
    }

    /// The values of all parameters, in the backend's own precision.
    var values: [Double] { backend.download(parameters.allValues) }

    /// Returns the numbers of the elements whose names a function accepts; an orthogonal block counts by its own name only.
    func elements(_ isWanted: (String) -> Bool) -> [Int] {
        let blocks = parameters.orthogonalBlocks.map { ($0.name, parameters.range(of: $0)) }
        let free = parameters.named.flatMap { parameter in
            isWanted(parameter.name)
                ? parameter.range.filter { element in !blocks.contains { $0.1.contains(element) } } : []
        }
        return free + blocks.filter { isWanted($0.0) }.flatMap { Array($0.1) }
    }
}

/// All optimizers, with everything that moves a parameter without a gradient.
enum AnyOptimizer: CaseIterable {
    case descent, momentum, nesterov, rmsprop, adam, adamw
    var optimizer: any Optimizer {
        switch self {
        case .descent: SGD(weightDecay: 0.25)
        case .momentum: SGD(momentum: 0.5, weightDecay: 0.25)
        case .nesterov: SGD(momentum: 0.5, nesterov: true, weightDecay: 0.25)
        case .rmsprop: RMSprop(weightDecay: 0.25)
        case .adam: Adam(weightDecay: 0.25)
        case .adamw: AdamW(weightDecay: 0.25)
        }
    }
    /// The same optimizer with another weight decay.
    func decaying(_ decay: Double) -> any Optimizer {
        switch self {
        case .descent: SGD(weightDecay: decay)
        case .momentum: SGD(momentum: 0.5, weightDecay: decay)
        case .nesterov: SGD(momentum: 0.5, nesterov: true, weightDecay: decay)
        case .rmsprop: RMSprop(weightDecay: decay)
        case .adam: Adam(weightDecay: decay)
        case .adamw: AdamW(weightDecay: decay)
        }
    }
}
