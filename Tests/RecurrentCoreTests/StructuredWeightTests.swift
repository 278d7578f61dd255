import CPUBackend
import Foundation
import ManifoldUpdates
import NNRNNCell
import RecurrentCore
import RecurrentOptimizers
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// Recurrent weights that are diagonal or consist of blocks along the diagonal.
struct StructuredWeightTests {
    private let backend = ReferenceBackend()

    /// `tanh(U x + d h + B (F h))` with weights of the given shapes.
    struct Shaped: RecurrentCell {
        var diagonal = CellParameter.Shape.diagonal
        var blocks = CellParameter.Shape.blockDiagonal(blocks: 3)
        var constraint = CellParameter.Constraint.free
        var name: String { "shaped" }
        var summary: String { "" }
        var parameters: [CellParameter] {
            [
                .inputWeight("U"), .recurrentWeight("F"), .recurrentWeight("d", shape: diagonal),
                .recurrentWeight("B", shape: blocks, constraint: constraint),
            ]
        }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            let h = states[0]
            return [tanh(p.U • x + p.d • h + p.B • (p.F • h))]
        }
    }

    private func model(
        _ cell: any RecurrentCell, weightDropout: Double = 0, start: RecurrentInitialization = .uniform,
        on backend: any Backend = ReferenceBackend()
    ) throws -> SequenceModel {
        try SequenceModel(
            cell: cell,
            configuration: ModelConfiguration(
                embeddingSize: 4, hiddenSize: 6, layers: 2, weightDropout: weightDropout,
                recurrentInitialization: start),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 5), targets: .positionClass(classes: 5), isContinuous: false,
                metric: .accuracy),
            on: backend, seed: 2)
    }

    private static let batch = Batch(
        steps: 4, size: 3, inputs: .tokens((0..<12).map { Int32($0 * 3 % 5) }), targets: (0..<12).map { Int32($0 % 5) })

    @Test(arguments: [(1, 1), (1, 3), (3, 3), (2, 4), (6, 6), (3, 12)])
    func gradientsAreRight(blocks: Int, units: Int) throws {
        let cell = StructuredCell(blocks: blocks)
        try checkCell(cell, on: backend, hiddenWidth: units)
        try checkCell(
            cell, on: CPUBackend(threads: 2), against: backend, hiddenWidth: units, steps: 20, batch: 5,
            tolerance: 1e-5)
    }

    /// With zeros everywhere else, full weights compute the same.
    @Test func elementsOutsideTheShapeAreZero() throws {
        func layer(_ cell: any RecurrentCell) throws -> (ParameterStore, RecurrentLayer) {
            let store = ParameterStore()
            let layer = try RecurrentLayer(cell, inputWidth: 2, hiddenWidth: 6, parameters: store, on: backend)
            try store.allocate(on: backend)
            return (store, layer)
        }
        let (own, shaped) = try layer(Shaped())
        let (other, full) = try layer(Shaped(diagonal: .full, blocks: .full))
        #expect(own.entries.map(\.name) == ["rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.d_l0", "rnn.B_l0"])
        #expect(own.entries.map(\.shape) == [[6, 2], [6, 6], [6], [6, 2]])
        #expect(other.entries.map(\.shape) == [[6, 2], [18, 6]])
        var random = RandomStream(RandomKey(seed: 1, purpose: .test))
        let values = (0..<own.count).map { _ in random.uniform(in: -1...1) }
        backend.upload(values, to: own.allValues)
        let d = Array(values[48..<54]), blocks = Array(values[54...])
        var dense = Array(values[..<48])
        for row in 0..<6 {
            for column in 0..<6 { dense.append(row == column ? d[row] : 0) }
        }
        for row in 0..<6 {
            for column in 0..<6 { dense.append(row / 2 == column / 2 ? blocks[row * 2 + column % 2] : 0) }
        }
        backend.upload(dense, to: other.allValues)

        let input = try backend.makeMatrix((0..<20).map { _ in random.normal() }, rows: 10, columns: 2)
        let weights = (0..<60).map { _ in random.normal() }
        var outputs: [[Double]] = []
        for (store, layer) in [(own, shaped), (other, full)] {
            backend.fill(store.allGradients, with: 0)
            outputs.append(backend.download(try layer.forward(input, steps: 5, batch: 2, options: .training)))
            backend.upload(weights, to: layer.outputGradient)
            try layer.backward()
        }
        #expect(relativeError(outputs[0], outputs[1]) <= 1e-14)
        let first: [Double] = backend.download(own.allGradients),
            second: [Double] = backend.download(other.allGradients)
        #expect(relativeError(Array(first[..<48]), Array(second[..<48])) <= 1e-13)
        #expect(relativeError(Array(first[48..<54]), (0..<6).map { second[48 + $0 * 7] }) <= 1e-13)
        #expect(
            relativeError(
                Array(first[54...]), (0..<12).map { second[84 + $0 / 2 * 6 + $0 / 4 * 2 + $0 % 2] }) <= 1e-13)
    }

    @Test(arguments: [0, 0.4]) func modelsHaveTheGradientsOfTheirLoss(weightDropout: Double) throws {
        for cell in [StructuredCell(), Shaped()] as [any RecurrentCell] {
            #expect(try gradientError(model(cell, weightDropout: weightDropout), Self.batch) <= 1e-6)
        }
    }

    /// They are clipped, and have the learning rate, of recurrent weights.
    @Test func theyAreRecurrentWeights() throws {
        let store = try model(Shaped()).parameters
        let names = store.recurrentWeights.map { store.entries[$0].name }
        #expect(names == (0..<2).flatMap { layer in ["weight_hh", "d", "B"].map { "rnn.\($0)_l\(layer)" } })
        let recurrent = store.freeRangesByKind.filter(\.isRecurrent).reduce(0) { $0 + $1.range.count }
        #expect(recurrent == 2 * (36 + 6 + 12))
    }

    @Test(arguments: RecurrentInitialization.allCases) func theyStartAsTheRunSays(start: RecurrentInitialization) throws
    {
        let model = try model(Shaped(), start: start)
        let d: [Double] = model.backend.download(try #require(model.parameters["rnn.d_l0"]).value)
        let blocks: [Double] = model.backend.download(try #require(model.parameters["rnn.B_l0"]).value)
        if start == .uniform {
            let bound = 1 / 6.0.squareRoot()
            #expect((d + blocks).allSatisfy { abs($0) <= bound && $0 != 0 } && Set(d + blocks).count == 18)
            return
        }
        #expect(d.allSatisfy { abs($0) == 1 })
        for block in 0..<3 {
            let b = Array(blocks[block * 4..<block * 4 + 4])
            #expect(abs(b[0] * b[0] + b[1] * b[1] - 1) < 1e-12 && abs(b[0] * b[2] + b[1] * b[3]) < 1e-12)
        }
        if start == .identity { #expect(d.allSatisfy { $0 == 1 } && blocks[..<4] == [1, 0, 0, 1]) }
        if start == .rotations { #expect(blocks[1] == -blocks[2] && blocks[1] != 0 && blocks[0] != blocks[4]) }
    }

    /// Every block is kept orthogonal by itself.
    @Test func blocksStayOrthogonal() throws {
        let model = try model(Shaped(constraint: .orthogonal)), backend = model.backend
        let blocks = model.parameters.orthogonalBlocks
        #expect(blocks.map(\.name) == (0..<2).flatMap { layer in (0..<3).map { "rnn.B_l\(layer).B.\($0)" } })
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: HenaffSkew(),
            configuration: TrainingConfiguration())
        let before: [Double] = backend.download(try #require(model.parameters["rnn.B_l0"]).value)
        for step in 0..<20 {
            _ = try model.computeGradients(Self.batch, step: step)
            try updater.update(learningRate: 0.05)
        }
        let after: [Double] = backend.download(try #require(model.parameters["rnn.B_l0"]).value)
        for block in 0..<3 {
            let b = Array(after[block * 4..<block * 4 + 4])
            #expect(Array(before[block * 4..<block * 4 + 4]) != b)
            #expect(abs(b[0] * b[0] + b[2] * b[2] - 1) < 1e-10 && abs(b[0] * b[1] + b[2] * b[3]) < 1e-10)
        }
    }

    @Test func blocksDivideTheUnits() {
        #expect(
            throws: RecurrentError.invalidOption(
                "cell 'shaped' has 3 blocks in 'B', so `hiddenSize` must be a multiple of 3, not 4")
        ) {
            try StepCompiler.compile(Shaped(), inputWidth: 2, hiddenWidth: 4)
        }
    }

    /// A weight of blocks multiplies the input where it is as wide as the states.
    @Test func theInputMayBeMultiplied() throws {
        struct Direct: RecurrentCell {
            var name: String { "direct" }
            var summary: String { "" }
            var parameters: [CellParameter] {
                [.recurrentWeight("B", shape: .blockDiagonal(blocks: 2)), .recurrentWeight("d", shape: .diagonal)]
            }
            func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
                [tanh(p.B • x + p.d • states[0] + p.B • states[0])]
            }
        }
        try checkCell(Direct(), on: backend, inputWidth: 4, hiddenWidth: 4)
        try checkCell(
            Direct(), on: CPUBackend(threads: 1), against: backend, inputWidth: 4, hiddenWidth: 4, steps: 9, batch: 3,
            tolerance: 1e-5)
        let error = #expect(throws: RecurrentError.self) {
            try StepCompiler.compile(Direct(), inputWidth: 2, hiddenWidth: 4)
        }
        #expect(error?.description.contains("multiplies recurrent weight 'B'") == true)
    }

    /// The theory's bounds are those of full weights.
    @Test func boundsAreForFullWeights() throws {
        struct Bounded: RecurrentCell {
            var name: String { "bounded" }
            var summary: String { "" }
            var slopeBounds: ClosedRange<Double>? { 0...1 }
            var shape: CellParameter.Shape
            var parameters: [CellParameter] { [.inputWeight("U"), .recurrentWeight("W", shape: shape)] }
            func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
                [tanh(p.U • x + p.W • states[0])]
            }
        }
        #expect(try model(Bounded(shape: .full)).gradientBounds() != nil)
        for shape in [CellParameter.Shape.diagonal, .blockDiagonal(blocks: 2)] {
            #expect(try model(Bounded(shape: shape)).gradientBounds() == nil)
        }
    }

    /// Elements above the blocks stay zero in training, and count for nothing in a file.
    @Test func elementsAboveTheBlocksStayZero() throws {
        let backend = try CPUBackend(threads: 1)
        let model = try SequenceModel(
            cell: NNRNN(), configuration: ModelConfiguration(embeddingSize: 3, hiddenSize: 5),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 4), targets: .positionClass(classes: 4), isContinuous: false,
                metric: .perplexity),
            on: backend, seed: 1)
        let theta = try #require(model.parameters["rnn.theta_l0"]).value
        func above() -> [Float] {
            let values: [Float] = backend.download(theta)
            return (0..<25).filter { $0 % 5 / 2 > $0 / 5 / 2 }.map { values[$0] }
        }
        let updater = try ParameterUpdater(
            model: model, optimizer: AdamW(), manifold: ExponentialUpdate(), skewInitialization: HenaffSkew(),
            configuration: TrainingConfiguration(clipNorm: 1))
        let before: [Float] = backend.download(theta)
        let batch = Batch(
            steps: 3, size: 2, inputs: .tokens([0, 1, 2, 3, 1, 0]), targets: [1, 2, 3, 0, 0, 2])
        for step in 0..<5 {
            _ = try model.computeGradients(batch, step: step)
            try updater.update(learningRate: 0.01)
        }
        let after: [Float] = backend.download(theta)
        #expect(above() == [Float](repeating: 0, count: 8) && after[10] != 0 && before[10] == 0)

        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        backend.upload(after.map { $0 == 0 ? 7 : $0 }, to: theta)
        try model.save(to: file)
        try model.load(from: file)
        #expect(backend.download(theta, as: Float.self) == after)
        let trained = try TrainedModel(
            weights: file, cell: NNRNN(), configuration: model.configuration, data: model.data, on: backend)
        #expect(trained.values(of: "rnn.theta_l0") == after)
    }
}
