/// Adds the gradients of shards that are computed one after another, in the order of the tree.
///
/// Like a binary counter: a gradient waits until that of its neighbour is there, then their sum waits for that of the
/// neighbouring pair, and so on. S shards need log₂ S waiting places.
final class GradientTree {
    private let backend: any Backend
    private let gradient: MatrixView
    private let waiting: [MatrixView]
    /// The kernels by the number of sums that a gradient completes: each adds them, and clears the gradient.
    private let kernels: [any Kernel]
    private let last: any Kernel
    private let scale: any Kernel

    /// Allocates the waiting places.
    ///
    /// - Parameters:
    ///   - gradient: the gradient that each shard leaves behind, [1, n].
    ///   - leaves: the number of shards, a power of two.
    init(_ gradient: MatrixView, leaves: Int, on backend: any Backend) throws {
        let levels = leaves.trailingZeroBitCount
        self.backend = backend
        self.gradient = gradient
        waiting = try (0..<levels).map { _ in try backend.allocate(rows: 1, columns: gradient.columns) }
        /// The sum of a gradient and of what waits at the levels below, of which each is to its left.
        func sum(_ inputs: [SymbolicValue]) -> SymbolicValue { inputs.dropFirst().reduce(inputs[0]) { $1 + $0 } }
        kernels = try (0..<levels).map { level in
            try backend.compile(PointwiseProgram(inputs: level + 1) { inputs, _ in [sum(inputs), 0] })
        }
        last = try backend.compile(PointwiseProgram(inputs: levels + 1) { inputs, _ in [sum(inputs)] })
        scale = try backend.compile(.scaling)
    }

    /// Adds the gradient of the next shard.
    ///
    /// After the last shard, the gradient is the sum; after any other it is zero.
    ///
    /// - Parameters:
    ///   - index: the number of the shard among those that are added, from 0.
    ///   - weight: the factor of its gradient.
    func add(_ index: Int, weight: Double) {
        if weight != 1 { backend.run(scale, inputs: [gradient], outputs: [gradient], scalars: [weight]) }
        let level = (index + 1).trailingZeroBitCount
        let inputs = [gradient] + waiting[..<min(level, waiting.count)]
        if index + 1 == 1 << waiting.count {
            backend.run(last, inputs: inputs, outputs: [gradient])
        } else {
            backend.run(kernels[level], inputs: inputs, outputs: [waiting[level], gradient])
        }
    }
}

extension PointwiseProgram {
    /// Multiplies numbers by one that is given at each run.
    static var scaling: PointwiseProgram { PointwiseProgram(inputs: 1, scalars: 1) { x, factor in [x[0] * factor[0]] } }
}
