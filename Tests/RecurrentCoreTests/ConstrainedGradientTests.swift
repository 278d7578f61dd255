import ManifoldUpdates
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing
import UGRUCell
import URNNCell

/// The gradient's whole path, from the loss through the cell's time loop to the skew
/// parameter of its orthogonal weight.
struct ConstrainedGradientTests {
    static let updates: [(update: any ManifoldUpdate, isExact: Bool)] = [
        (ExponentialUpdate(), false), (ExponentialUpdate(method: .eigendecomposition), false),
        (ExactExponentialUpdate(), true), (CayleyUpdate(), true),
    ]
    static let cells: [any RecurrentCell] = CellGradientTests.activations.flatMap { activation -> [any RecurrentCell] in
        [URNN(activation: activation), UGRU(activation: activation), UGRU(activation: activation, resetGate: .before)]
    }

    @Test(arguments: cells.indices, updates.indices)
    func skewGradientAgreesWithCentralDifferences(cell: Int, update: Int) throws {
        let backend = ReferenceBackend(), size = 4
        let (manifold, isExact) = Self.updates[update]
        let probe = try CellProbe(
            Self.cells[cell], on: backend, inputWidth: 3, hiddenWidth: size, steps: 4, batch: 2)
        let workspace = try manifold.makeWorkspace(size: size, on: backend)
        let block = probe.store.orthogonalBlocks[0]
        let weight = try backend.allocate(rows: size, columns: size)
        let skew = try backend.allocate(rows: size, columns: size)
        let place = probe.store.range(of: block)

        // The paper's gradient is exact only at B = 0.
        var random = RandomStream(RandomKey(seed: 7, purpose: .test))
        let pairs = (0..<size).flatMap { i in (0..<i).map { (i, $0) } }
        let angles = pairs.map { _ in isExact ? random.uniform(in: -0.8...0.8) : 0 }
        /// Returns all of the probe's variables with W at these angles.
        func variables(_ angles: [Double]) throws -> [Double] {
            var values = [Double](repeating: 0, count: size * size)
            for ((i, j), angle) in zip(pairs, angles) {
                values[i * size + j] = angle
                values[j * size + i] = -angle
            }
            backend.upload(values, to: skew)
            try workspace.computeWeight(at: ManifoldPoint(skew), into: weight)
            var result = probe.variables
            result.replaceSubrange(place, with: backend.download(weight, as: Double.self))
            return result
        }

        let gradient = try probe.gradient(at: variables(angles))
        let result = try backend.allocate(rows: size, columns: size)
        try workspace.parameterGradients(
            weightGradient: backend.makeMatrix(
                Array(gradient[place]), rows: size, columns: size),
            weight: weight, at: ManifoldPoint(skew), into: [result])
        let values: [Double] = backend.download(result)
        let expected = try centralDifferences(angles, step: 1e-4) { try probe.loss(variables($0)) }
        let error = relativeError(pairs.map { values[$0.0 * size + $0.1] }, expected)
        #expect(error <= 1e-6, "\(Self.cells[cell].name), \(manifold.name)")
    }
}
