import CPUBackend
import Foundation
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// Unitary weights: two adjacent recurrent weights that are one complex matrix.
struct UnitaryTests {
    static let block = "rnn.weight_hh_l0.A+iS"
    static let updates: [any ManifoldUpdate] = [
        ExactExponentialUpdate(), CayleyUpdate(), DynamicTrivializationUpdate(period: 2), RetractionUpdate(.qr),
        ScaledCayleyUpdate(negativeOnes: 2), MarginUpdate(margin: 0.2), ArjovskyUpdate(),
        HouseholderUpdate(), HouseholderUpdate(reflections: 2),
    ]

    private func model(on backend: any Backend = ReferenceBackend(), hidden: Int = 5) throws -> SequenceModel {
        try GradientFlowTests.model(UnitaryCell(), hidden: hidden, on: backend)
    }

    @Test func bothPartsAreOneBlock() throws {
        let store = try model().parameters, block = try #require(store.orthogonalBlocks.first)
        #expect(store.orthogonalBlocks.count == 1 && block.name == Self.block && block.field == .complex)
        #expect(block.rows == 0..<10 && block.size == 5)
        #expect(store[Self.block]?.shape == [10, 5])
        #expect(store.value(of: block).rows == 10)
    }

    @Test(arguments: updates.indices) func theUpdaterKeepsItUnitary(index: Int) throws {
        let model = try model(), backend = model.backend
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: Self.updates[index], skewInitialization: HenaffSkew())
        let weight = model.parameters.value(of: updater.constrained[0].block)
        let before: [Double] = backend.download(weight)
        for step in 0..<20 {
            let loss = try model.computeGradients(GradientFlowTests.batch(), step: step)
            #expect(loss.totalLoss.isFinite)
            try updater.update(learningRate: 0.05)
        }
        let after: [Double] = backend.download(weight)
        #expect(zip(before, after).contains { abs($0 - $1) > 0.01 })
        let margin = Self.updates[index].traits.spectralMargin
        let values = try SingularValues.range(of: weight, on: backend)
        #expect(values.lowerBound >= 1 - margin - 1e-12 && values.upperBound <= 1 + margin + 1e-12)
        let error = try OrthogonalSpectrum.orthogonalityError(of: weight, on: backend)
        #expect(margin > 0 ? error > 1e-6 : error < 1e-12)
    }

    /// The whole path of the gradient, from the loss through the time loop to the parameters of the weight.
    @Test(arguments: updates.indices) func gradientsAgreeWithCentralDifferences(index: Int) throws {
        let backend = ReferenceBackend(), size = 3, update = Self.updates[index]
        let probe = try CellProbe(UnitaryCell(), on: backend, inputWidth: 2, hiddenWidth: size, steps: 4, batch: 2)
        let block = probe.store.orthogonalBlocks[0], place = probe.store.range(of: block)
        let workspace = try update.makeUnitaryWorkspace(size: size, on: backend)
        let point = try ManifoldPoint(for: workspace, on: backend)
        var random = RandomStream(RandomKey(seed: 7, purpose: .test))
        let skew = UniformSkew(scale: 0.8).complexValues(size: size, random: &random)
        try workspace.initialize(
            point, skew: backend.makeMatrix(skew, rows: 2 * size, columns: size), random: &random)
        let weight = try backend.allocate(rows: 2 * size, columns: size)
        func variables() throws -> [Double] {
            try workspace.computeWeight(at: point, into: weight)
            var result = probe.variables
            result.replaceSubrange(place, with: backend.download(weight, as: Double.self))
            return result
        }
        let gradient = try probe.gradient(at: variables())
        let results = try workspace.parameters.map { try backend.allocate(rows: $0.rows, columns: $0.columns) }
        try workspace.parameterGradients(
            weightGradient: backend.makeMatrix(Array(gradient[place]), rows: 2 * size, columns: size), weight: weight,
            at: point, into: results)
        var found: [Double] = [], expected: [Double] = []
        for (number, matrix) in workspace.parameters.enumerated() {
            let view = point.parameters[number], slopes: [Double] = backend.download(results[number])
            let start: [Double] = backend.download(view)
            /// Elements that move together with their signs, and the factor of the gradient.
            var moves: [([(Int, Double)], Double)] = []
            if matrix.structure == .free {
                moves = (0..<matrix.count).map { ([($0, 1)], 1) }
            } else {
                for i in 0..<size {
                    moves += (0..<i).map { ([(i * size + $0, 1), ($0 * size + i, -1)], 1) }
                    moves += (0..<i).map { ([((size + i) * size + $0, 1), ((size + $0) * size + i, 1)], 1) }
                    moves.append(([((size + i) * size + i, 1)], 0.5))
                }
            }
            for (places, factor) in moves {
                found.append(slopes[places[0].0] * factor)
                expected.append(
                    try centralDifferences([0], step: 1e-4) { offset in
                        var moved = start
                        for (element, sign) in places { moved[element] += sign * offset[0] }
                        backend.upload(moved, to: view)
                        return try probe.loss(variables())
                    }[0])
                backend.upload(start, to: view)
            }
        }
        #expect(relativeError(found, expected) <= 1e-6, "\(update.name)")
    }

    /// Theorem 1: with slopes of 1 and a unitary weight the norm of the derivative is that of the identity.
    @Test func theBoundsAreThoseOfAUnitaryWeight() throws {
        let model = try model()
        _ = try ParameterUpdater(
            model: model, optimizer: SGD(), manifold: ExponentialUpdate(), skewInitialization: HenaffSkew())
        let bounds = try #require(try model.gradientBounds())
        #expect(bounds.gain == 1...1 && bounds.width == 10 && bounds.limit == .constant)
        let norms = try GradientFlow(model).measure(GradientFlowTests.batch(), from: 1, to: 4).last
        for norm in norms.frobenius.values { #expect(abs(norm - 10.squareRoot()) < 1e-5) }
        // A weight that isn't unitary has the singular values that it has.
        let weight = model.parameters.value(0 + model.parameters.orthogonalBlocks[0].parameter)
        var random = RandomStream(RandomKey(seed: 1, purpose: .test))
        model.backend.upload((0..<50).map { _ in random.normal() }, to: weight)
        let free = try #require(try model.gradientBounds())
        #expect(free.gain.lowerBound < 0.9 && free.gain.upperBound > 1.1)
    }

    @Test(arguments: [true, false]) func anglesAreThoseOfThePhases(onCPU: Bool) throws {
        let backend: any Backend = onCPU ? try CPUBackend() : ReferenceBackend(), n = 6
        let angles = [-3.0, -1.25, -0.5, 0.001, 1.5, 3.1], tolerance = onCPU ? 4e-6 : 1e-12
        // W = Q D Qᴴ for a unitary Q.
        let workspace = try ExactExponentialUpdate().makeUnitaryWorkspace(size: n, on: backend)
        var random = RandomStream(RandomKey(seed: 2, purpose: .test))
        let skew = try backend.makeMatrix(
            UniformSkew(scale: 1).complexValues(size: n, random: &random), rows: 2 * n, columns: n)
        let basis = try backend.allocate(rows: 2 * n, columns: n)
        try workspace.computeWeight(at: ManifoldPoint(skew), into: basis)
        let q: [Double] = backend.download(basis)
        var w = [Double](repeating: 0, count: 2 * n * n)
        for i in 0..<n {
            for j in 0..<n {
                for k in 0..<n {
                    let (a, b) = (q[i * n + k], q[(n + i) * n + k]), (c, d) = (q[j * n + k], -q[(n + j) * n + k])
                    let (x, y) = (a * c - b * d, a * d + b * c)
                    w[i * n + j] += x * cos(angles[k]) - y * sin(angles[k])
                    w[(n + i) * n + j] += x * sin(angles[k]) + y * cos(angles[k])
                }
            }
        }
        let weight = try backend.makeMatrix(w, rows: 2 * n, columns: n)
        let found = try OrthogonalSpectrum(size: n, on: backend).angles(of: weight)
        #expect(found.count == n && zip(found, angles).allSatisfy { abs($0 - $1) <= tolerance }, "\(found)")
        #expect(try OrthogonalSpectrum.orthogonalityError(of: weight, on: backend) <= tolerance)
        let values = try SingularValues.range(of: weight, on: backend)
        #expect(abs(values.lowerBound - 1) <= tolerance && abs(values.upperBound - 1) <= tolerance)
        // Two parts that are orthogonal each don't make a unitary matrix.
        backend.upload(
            (0..<2 * n * n).map { $0 % (n + 1) == 0 && $0 < n * n ? 0.6 : $0 % n == 0 ? 0.8 : 0 }, to: weight)
        #expect(try OrthogonalSpectrum.orthogonalityError(of: weight, on: backend) > 0.1)
    }

    @Test func groupsTakeTheBlockByItsName() throws {
        let model = try model(), backend = model.backend
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: HenaffSkew(),
            groups: [ParameterGroup(Self.block, isFrozen: true)])
        #expect(updater.frozenNames == [Self.block] && updater.constrained.isEmpty)
        try ParameterInitializer(seed: 3, parameters: model.parameters, on: backend).fillOrthogonalWeights(
            manifold: ExponentialUpdate(), skewInitialization: HenaffSkew())
        let view = try #require(model.parameters[Self.block]).value, before: [Double] = backend.download(view)
        #expect(try OrthogonalSpectrum.orthogonalityError(of: view, on: backend) < 1e-12)
        _ = try model.computeGradients(GradientFlowTests.batch(), step: 0)
        try updater.update(learningRate: 0.1)
        #expect(backend.download(view) == before)
    }

    /// An update for real weights only.
    private struct RealUpdate: ManifoldUpdate {
        var name: String { "orthogonal" }
        var summary: String { "for this test" }
        var traits: ManifoldTraits { ManifoldTraits(fields: [.real]) }
        func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
            try CayleyUpdate().makeWorkspace(size: size, on: backend)
        }
    }

    @Test func updatesOfRealWeightsSaySo() throws {
        let model = try model()
        let error = #expect(throws: RecurrentError.self) {
            try ParameterUpdater(
                model: model, optimizer: SGD(), manifold: RealUpdate(), skewInitialization: ZeroSkew())
        }
        #expect(
            error?.description
                == "`manifold` orthogonal keeps real weights orthogonal, but this cell's weights are complex; choose a real cell or another `manifold`"
        )
    }
}
