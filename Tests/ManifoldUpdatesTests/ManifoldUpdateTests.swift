import CPUBackend
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import RecurrentTestSupport
import ReferenceBackend
import Testing

struct ManifoldUpdateTests {
    static let updates: [(update: any ManifoldUpdate, isExact: Bool)] = [
        (ExponentialUpdate(), false), (ExponentialUpdate(method: .eigendecomposition), false),
        (ExactExponentialUpdate(), true), (CayleyUpdate(), true),
    ]

    /// `‖WᵀW − I‖_max` after many steps of an optimizer along random gradients.
    @Test(arguments: updates.indices)
    func weightStaysOrthogonalOverManyUpdates(index: Int) throws {
        let backend = try CPUBackend(threads: 1)
        for (size, count) in [(6, 100_000), (64, 300)] {
            var random = RandomStream(RandomKey(seed: 1, purpose: .test))
            let workspace = try Self.updates[index].update.makeWorkspace(size: size, on: backend)
            let skew = try backend.makeMatrix(HenaffSkew().values(size: size, random: &random), rows: size, columns: size)
            let weight = try backend.allocate(rows: size, columns: size)
            let gradient = try backend.allocate(rows: size, columns: size)
            let directions = try (0..<7).map { _ in
                try backend.makeMatrix((0..<size * size).map { _ in random.normal() }, rows: size, columns: size)
            }
            let step = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [x[0] - 0.01 * x[1]] })
            try workspace.computeWeight(from: skew, into: weight)
            for number in 0..<count {
                try workspace.parameterGradient(
                    weightGradient: directions[number % 7], weight: weight, parameter: skew, into: gradient)
                backend.run(step, inputs: [skew, gradient], outputs: [skew])
                try workspace.computeWeight(from: skew, into: weight)
            }
            let product = try backend.allocate(rows: size, columns: size)
            backend.gemm(weight.transposed, weight, into: product)
            let values: [Double] = backend.download(product)
            let error = values.indices.map { abs(values[$0] - ($0 / size == $0 % size ? 1 : 0)) }.max()!
            #expect(error <= 1e-5, "\(Self.updates[index].update.name), n = \(size)")
        }
    }
}
