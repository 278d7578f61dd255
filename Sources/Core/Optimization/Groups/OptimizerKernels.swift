/// An optimizer's compiled steps, for free and for skew parameters.
final class OptimizerKernels {
    let optimizer: any Optimizer
    /// The optimizer of free parameters, with the weight decay that was asked for, and of skew parameters.
    private let free: any Optimizer, skew: any Optimizer
    private let penalty: Double
    private let backend: any Backend
    private let usual: (free: any Kernel, skew: any Kernel)
    /// The steps with a gate, compiled when they are first needed.
    private lazy var gated = Result { try Self.compile(free, penalty, skew, isGated: true, on: backend) }
    /// The steps that ``prepare(step:isGated:)`` has chosen, and the scalars of that step.
    private(set) var current: (free: any Kernel, skew: any Kernel)
    private(set) var scalars: [Double] = []

    /// Compiles an optimizer's steps.
    ///
    /// - Parameter weightDecay: the weight decay in place of the optimizer's own; nil for that.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if an option is wrong, or the optimizer has no weight decay, and what
    ///   the backend throws.
    init(_ optimizer: any Optimizer, weightDecay: Double?, on backend: any Backend) throws {
        try optimizer.check()
        self.optimizer = optimizer
        self.backend = backend
        skew = optimizer.withoutWeightDecay
        switch weightDecay {
        case nil: (free, penalty) = (optimizer, optimizer.penalty)
        case 0?: (free, penalty) = (skew, 0)
        case .some(let decay):
            free = try optimizer.withWeightDecay(decay)
            try free.check()
            penalty = free.penalty
        }
        usual = try Self.compile(free, penalty, skew, isGated: false, on: backend)
        current = usual
    }

    /// The number of state variables per parameter.
    var stateCount: Int { optimizer.stateCount }

    /// Returns the state variables that this optimizer uses, of as many as the largest one has.
    func own(_ state: [MatrixView]) -> [MatrixView] {
        state.count == stateCount ? state : Array(state.prefix(stateCount))
    }

    private static func compile(
        _ free: any Optimizer, _ penalty: Double, _ skew: any Optimizer, isGated: Bool, on backend: any Backend
    ) throws -> (free: any Kernel, skew: any Kernel) {
        (
            try backend.compile(free.program(weightDecay: penalty, isGated: isGated)),
            try backend.compile(skew.program(weightDecay: 0, isGated: isGated))
        )
    }

    /// Chooses the kernels and computes the scalars of an update.
    func prepare(step: Int, isGated: Bool) throws {
        current = isGated ? try gated.get() : usual
        scalars = optimizer.scalars(step: step)
    }
}
