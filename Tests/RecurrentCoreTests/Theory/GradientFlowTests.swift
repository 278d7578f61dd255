import CPUBackend
import Foundation
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import ReferenceBackend
import Testing
import ToyDatasets
import URNNCell
import VanillaRNNCell

/// Compares exact derivatives of states by states with central differences and the theory.
struct GradientFlowTests {
    static let width = 3, hidden = 4, steps = 5, columns = 2

    static func model(
        _ cell: any RecurrentCell, hidden: Int = hidden, width: Int = width,
        on backend: any Backend = ReferenceBackend(),
        start: RecurrentInitialization = .uniform, layers: Int = 1, zoneout: Double = 0
    ) throws -> SequenceModel {
        try SequenceModel(
            cell: cell,
            configuration: ModelConfiguration(
                hiddenSize: hidden, layers: layers, zoneout: zoneout, recurrentInitialization: start),
            data: DatasetDescription(
                inputs: .vectors(width: width), targets: .positionClass(classes: 2), isContinuous: false,
                metric: .accuracy),
            on: backend, seed: 3)
    }

    static func batch(steps: Int = steps, columns: Int = columns, width: Int = width, lengths: [Int]? = nil) -> Batch {
        var random = RandomStream(RandomKey(seed: 5, purpose: .test, stream: 0, step: 0))
        let values = (0..<steps * columns * width).map { _ in Float(random.normal()) }
        return Batch(
            steps: steps, size: columns, inputs: .vectors(values, width: width),
            targets: [Int32](repeating: 0, count: steps * columns), lengths: lengths)
    }

    /// Returns `∂s_t/∂s_k` [n, n] of sequence `column`, by central differences through the layer.
    static func differences(_ model: SequenceModel, _ batch: Batch, from k: Int, to t: Int, column: Int) throws
        -> [Double]
    {
        let backend = model.backend, layer = model.recurrentLayers[0], count = layer.cell.stateNames.count
        guard case .vectors(let values, let width) = batch.inputs else { throw RecurrentError.dataset("no vectors") }
        let inputs = (0..<batch.steps).map { step in
            Array(values[(step * batch.size + column) * width..<(step * batch.size + column + 1) * width])
        }
        func states(after first: [[Double]], _ range: Range<Int>) throws -> [[Double]] {
            let input = try backend.makeMatrix(inputs[range].flatMap { $0 }, rows: range.count, columns: width)
            let initial = try first.map { try backend.makeMatrix($0, rows: 1, columns: layer.hiddenWidth) }
            _ = try layer.forward(input, steps: range.count, batch: 1, initial: .given(initial), options: .inference)
            return (0..<count).map { backend.download(layer.finalState($0)) }
        }
        let zeros = [[Double]](repeating: .init(repeating: 0, count: layer.hiddenWidth), count: count)
        let start = try states(after: zeros, 0..<k)
        let n = count * layer.hiddenWidth
        var result = [Double](repeating: 0, count: n * n)
        for j in 0..<n {
            let sides = try [1e-5, -1e-5].map { delta in
                var moved = start
                moved[j / layer.hiddenWidth][j % layer.hiddenWidth] += delta
                return try states(after: moved, k..<t).flatMap { $0 }
            }
            for i in 0..<n { result[i * n + j] = (sides[0][i] - sides[1][i]) / 2e-5 }
        }
        return result
    }

    @Test(arguments: CellGradientTests.cells.indices)
    func equalsCentralDifferences(_ index: Int) throws {
        let cell = CellGradientTests.cells[index]
        let hidden = cell.name == "highway" ? Self.width : Self.hidden
        let batch = Self.batch()
        for (k, t) in [(1, 5), (2, 3)] {
            let reference = try Self.model(cell, hidden: hidden)
            let fast = try Self.model(cell, hidden: hidden, on: CPUBackend(threads: 2))
            fast.restore(reference.snapshot())
            let exact = try GradientFlow(reference).measure(batch, from: k, to: t).last
            let single = try GradientFlow(fast).measure(batch, from: k, to: t).last
            for column in 0..<Self.columns {
                let matrix = try Self.differences(reference, batch, from: k, to: t, column: column)
                let n = Int(Double(matrix.count).squareRoot())
                let norm = matrix.reduce(0) { $0 + $1 * $1 }.squareRoot()
                let top = try SingularValues.range(
                    of: reference.backend.makeMatrix(matrix, rows: n, columns: n), on: reference.backend
                ).upperBound
                #expect(abs(exact.frobenius.values[column] - norm) < 1e-7 * (1 + norm), "\(cell.name) \(k) \(t)")
                #expect(abs(exact.operatorNorm!.values[column] - top) < 1e-7 * (1 + top), "\(cell.name) \(k) \(t)")
                #expect(abs(single.frobenius.values[column] - norm) < 1e-4 * (1 + norm), "\(cell.name) \(k) \(t)")
                #expect(abs(single.operatorNorm!.values[column] - top) < 1e-4 * (1 + top), "\(cell.name) \(k) \(t)")
            }
        }
    }

    /// In the paper's key case the norm is √H at every step, before and after training.
    @Test(arguments: [false, true]) func absoluteValueKeepsTheNorm(onReference: Bool) throws {
        let recall = try RecallDataset(length: 30, sizes: SplitSizes(train: 400, valid: 100, test: 100))
        let backend: any Backend = onReference ? ReferenceBackend() : try CPUBackend(threads: 2)
        let model = try SequenceModel(
            cell: URNN(activation: AbsoluteValue()),
            configuration: ModelConfiguration(embeddingSize: 8, hiddenSize: 100),
            data: recall.description, on: backend)
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: HenaffSkew(),
            configuration: .init(epochs: onReference ? 1 : 5, batchSize: onReference ? 200 : 20, learningRate: 1e-2))
        func check(_ when: String) throws {
            let norms = try GradientFlow(model, samples: 3).measure(
                recall.batch(.valid, epoch: 0, index: 0, batchSize: 20))
            #expect(norms.steps.count == 30)
            for step in norms.steps {
                for value in step.frobenius.values { #expect(abs(value / 10 - 1) < 1e-5, "\(when), step \(step.step)") }
                for value in step.operatorNorm!.values { #expect(abs(value - 1) < 1e-4, "\(when), step \(step.step)") }
            }
        }
        try check("fresh")
        let before = model.snapshot()
        _ = try Trainer(
            model: model, dataset: recall, updater: updater
        ).run()
        #expect(model.snapshot() != before)
        try check("trained")
    }

    /// From W = I and a zero state, equal inputs without a bias lead back to exactly 0.
    @Test func absoluteValueKeepsTheNormAtZero() throws {
        let model = try Self.model(
            URNN(activation: AbsoluteValue()), hidden: 16, on: CPUBackend(threads: 1), start: .identity)
        _ = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew())
        let batch = Batch(
            steps: 6, size: 1, inputs: .vectors([Float](repeating: 0.5, count: 6 * Self.width), width: Self.width),
            targets: [Int32](repeating: 0, count: 6))
        for step in try GradientFlow(model).measure(batch).steps { #expect(abs(step.frobenius.mean - 4) < 1e-6) }
    }

    static let bounded: [any RecurrentCell] = [
        URNN(activation: ReLU()), URNN(activation: LeakyReLU()), URNN(activation: LeakyReLU(slope: 0.95)),
        URNN(activation: Tanh()),
        VanillaRNN(activation: ReLU()), VanillaRNN(activation: LeakyReLU(slope: 0.95)),
        VanillaRNN(activation: AbsoluteValue()),
    ]

    @Test(arguments: bounded.indices, [0, 0.1, 0.5, 0.8]) func staysWithinBounds(_ index: Int, zoneout: Double) throws {
        try checkBounds(of: Self.bounded[index], zoneout: zoneout)
    }

    /// The expected step of zoneout doesn't preserve the norm, although both of its parts do.
    @Test(arguments: [0.2, 0.5, 0.8]) func zoneoutLetsTheNormShrink(rate: Double) throws {
        try checkBounds(of: URNN(activation: AbsoluteValue()), zoneout: rate)
    }

    private func checkBounds(of cell: any RecurrentCell, zoneout: Double) throws {
        let model = try Self.model(cell, hidden: 40, width: 6, on: CPUBackend(threads: 2), zoneout: zoneout)
        if !model.parameters.orthogonalBlocks.isEmpty {
            _ = try ParameterUpdater(
                model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: HenaffSkew())
        }
        let bounds = try #require(try model.gradientBounds())
        let norms = try GradientFlow(model).measure(Self.batch(steps: 20, columns: 4, width: 6))
        var isTight = true
        for step in norms.steps {
            let f = bounds.frobeniusNorm(after: step.step - 1), o = bounds.operatorNorm(after: step.step - 1)
            #expect(step.frobenius.minimum >= f.lowerBound * (1 - 1e-4))
            #expect(step.frobenius.maximum <= f.upperBound * (1 + 1e-4))
            #expect(step.operatorNorm!.minimum >= o.lowerBound * (1 - 1e-4))
            #expect(step.operatorNorm!.maximum <= o.upperBound * (1 + 1e-4))
            isTight = isTight && step.frobenius.mean > 0.999 * f.upperBound
        }
        #expect(!isTight, "none of these has a norm that stays at its bound")
    }

    /// The bounds are those at the present parameters of the activation.
    @Test(arguments: ["rnn", "urnn"]) func boundsFollowTheActivation(cell: String) throws {
        let activation = PReLU()
        let cell: any RecurrentCell =
            cell == "rnn" ? VanillaRNN(activation: activation) : URNN(activation: activation)
        let model = try Self.model(cell, hidden: 9, on: ReferenceBackend(), start: .identity)
        if !model.parameters.orthogonalBlocks.isEmpty {
            _ = try ParameterUpdater(
                model: model, optimizer: SGD(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew())
        }
        let slopes = try #require(model.parameters["rnn.prelu_slope_l0"]).value
        func bounds() throws -> GradientBounds { try #require(try model.gradientBounds()) }
        #expect(try bounds().gain.upperBound < 1 + 1e-9)
        model.backend.upload((0..<9).map { $0 == 3 ? -2.0 : 0.5 }, to: slopes)
        let gain = try bounds().gain
        #expect(abs(gain.lowerBound - 0.5) < 1e-9 && abs(gain.upperBound - 2) < 1e-9)
        // Where all arguments are negative, the norm is that of these slopes, which is above the former bound.
        model.backend.upload([Double](repeating: 2, count: 9), to: slopes)
        let bias = try #require(model.parameters.entries.firstIndex { $0.name == "rnn.bias_ih_l0" })
        model.backend.upload([Double](repeating: -1e3, count: 9), to: model.parameters.value(bias))
        let norms = try GradientFlow(model).measure(Self.batch(steps: 6)).last
        let highest = try bounds().frobeniusNorm(after: 5).upperBound
        #expect(norms.frobenius.maximum > 3 * 1.1 && norms.frobenius.maximum <= highest * (1 + 1e-9))
        model.backend.upload([Double](repeating: .nan, count: 9), to: slopes)
        #expect(throws: RecurrentError.self) { try model.gradientBounds() }
    }

    /// W = ±I and σ(x) = x reach the bounds, so no tighter ones hold for all weights.
    @Test(arguments: [0.3, 0.8], [1.0, -1.0]) func boundsOfZoneoutAreReached(rate: Double, sign: Double) throws {
        let backend = ReferenceBackend()
        let model = try Self.model(VanillaRNN(activation: Identity()), hidden: 9, start: .identity, zoneout: rate)
        let weight = try #require(model.parameters.entries.firstIndex { $0.name == "rnn.weight_hh_l0" })
        backend.upload((0..<81).map { $0 % 10 == 0 ? sign : 0 }, to: model.parameters.value(weight))
        let bounds = try #require(try model.gradientBounds()).frobeniusNorm(after: Self.steps - 1)
        let norm = try GradientFlow(model).measure(Self.batch()).last.frobenius.mean
        #expect(abs(norm - (sign > 0 ? bounds.upperBound : bounds.lowerBound)) < 1e-9)
    }

    /// The products 0.5²⁹⁹ and 2²⁹⁹ are beyond the range of Float32.
    @Test(arguments: [0.5, 2.0]) func longProductsKeepTheirValue(_ gain: Double) throws {
        let backend = try CPUBackend(threads: 1)
        let model = try Self.model(VanillaRNN(activation: Identity()), hidden: 9, on: backend, start: .identity)
        let weight = try #require(model.parameters.entries.firstIndex { $0.name == "rnn.weight_hh_l0" })
        backend.upload((0..<81).map { $0 % 10 == 0 ? gain : 0 }, to: model.parameters.value(weight))
        // States beyond Float32 don't matter to a linear cell's derivative.
        let norms = try GradientFlow(model, samples: 1).measure(Self.batch(steps: 300, columns: 1))
        #expect(abs(norms.last.frobenius.mean / (3 * pow(gain, 299)) - 1) < 1e-6)
        #expect(abs(norms.last.operatorNorm!.mean / pow(gain, 299) - 1) < 1e-6)
        #expect(try model.gradientBounds()?.limit == (gain < 1 ? .vanishes : .explodes))
    }

    @Test func aWeightWithoutNumbersHasNormsWithout() throws {
        let model = try Self.model(VanillaRNN(activation: Identity()), on: CPUBackend(threads: 1), start: .identity)
        let weight = try #require(model.parameters.entries.firstIndex { $0.name == "rnn.weight_hh_l0" })
        model.backend.upload([Double](repeating: .nan, count: 16), to: model.parameters.value(weight))
        let last = try GradientFlow(model).measure(Self.batch()).last
        for values in [last.frobenius, try #require(last.operatorNorm)] {
            #expect(values.mean.isNaN && values.minimum.isNaN && values.maximum.isNaN)
        }
    }

    @Test func refusesStepsThatAreNotThere() throws {
        let flow = GradientFlow(try Self.model(URNN()))
        for (k, t) in [(0, 3), (4, 3), (1, 6)] {
            #expect(throws: RecurrentError.self) { try flow.measure(Self.batch(), from: k, to: t) }
        }
        #expect(throws: RecurrentError.self) { try flow.measure(Self.batch(lengths: [3, 2])) }
        #expect(try flow.measure(Self.batch(lengths: [5, 2])).last.frobenius.values.count == 1)
    }

    /// Measures the upper layer's derivative, with the lower layer's outputs as its inputs.
    @Test func measuresTheLayerAskedFor() throws {
        let model = try Self.model(VanillaRNN(activation: Tanh()), layers: 2)
        let first = try GradientFlow(model, layer: 0).measure(Self.batch()).last
        let second = try GradientFlow(model, layer: 1).measure(Self.batch()).last
        #expect(try GradientFlow(model).measure(Self.batch()).last == second)
        #expect(abs(first.frobenius.mean - second.frobenius.mean) > 1e-6)
        let alone = try Self.model(VanillaRNN(activation: Tanh()))
        #expect(try GradientFlow(alone).measure(Self.batch()).last.frobenius.values.count == 2)
    }
}
