import CPUBackend
import RecurrentCore
import RecurrentTestSupport
import Testing

/// Every function gives the same bits with any number of threads, at sizes that
/// are divided into pieces in each of the possible ways.
struct ThreadInvarianceTests {
    /// Runs `body` with 1, 2, 3 and 16 threads and compares the results.
    private func expectSameBits(
        _ what: String, _ body: (CPUBackend) throws -> [Float], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let once = try body(CPUBackend(threads: 1)).map(\.bitPattern)
        #expect(Set(once).count > 1, "\(what) computes nothing", sourceLocation: sourceLocation)
        for threads in [2, 3, 16] {
            let isSame = try body(CPUBackend(threads: threads)).map(\.bitPattern) == once
            #expect(isSame, "\(what) with \(threads) threads", sourceLocation: sourceLocation)
        }
    }

    private func random(_ rows: Int, _ columns: Int, _ stream: Int, on backend: CPUBackend) throws -> MatrixView {
        let view = try backend.allocate(rows: rows, columns: columns)
        let draw = try backend.compile(PointwiseProgram(inputs: 0) { _, _ in [2 * .uniform - 1] })
        backend.run(
            draw, inputs: [], outputs: [view], scalars: [], key: RandomKey(seed: 1, purpose: .test, stream: stream))
        return view
    }

    @Test(arguments: [
        (100, 50, 50), (3000, 150, 30), (40, 2000, 100), (50, 30, 10_000), (600, 700, 800), (301, 299, 5000),
    ])
    func products(m: Int, n: Int, k: Int) throws {
        for isTransposed in [false, true] {
            try expectSameBits("[\(m), \(k)] · [\(k), \(n)]") { backend in
                let a = isTransposed ? try random(k, m, 1, on: backend).transposed : try random(m, k, 1, on: backend)
                let b = isTransposed ? try random(n, k, 2, on: backend).transposed : try random(k, n, 2, on: backend)
                let c = try random(m, n, 3, on: backend)
                backend.gemm(alpha: 1.5, a, b, beta: 0.5, c)
                return backend.download(c)
            }
        }
    }

    @Test(arguments: [(100, 50), (700, 49), (1, 40_001), (1030, 1031), (3, 20_000)])
    func programsAndReductions(rows: Int, columns: Int) throws {
        let program = PointwiseProgram(inputs: 2, scalars: 1) { x, s in
            [tanh(x[0]) * x[1] + s[0], select(.uniform > 0.3, exp(x[0] - x[1]), .columnIndex)]
        }
        try expectSameBits("[\(rows), \(columns)]") { backend in
            let source = try random(rows, columns, 1, on: backend)
            let vector = try random(1, columns, 2, on: backend)
            let results = try (0..<2).map { _ in try backend.allocate(rows: rows, columns: columns) }
            backend.run(
                try backend.compile(program), inputs: [source, vector.broadcast(rows: rows, columns: columns)],
                outputs: results, scalars: [0.25], key: RandomKey(seed: 2, purpose: .test))
            backend.sumColumns(results[0], beta: 0.5, into: vector)
            let sums = try backend.allocate(rows: rows, columns: 1)
            backend.reduceRows(.sum, results[1], into: sums)
            return backend.download(results[0]) + backend.download(results[1]) + backend.download(vector)
                + backend.download(sums)
        }
    }

    @Test(arguments: [(7, 3), (500, 77), (30_000, 50)])
    func indexedRows(count: Int, columns: Int) throws {
        try expectSameBits("\(count) rows") { backend in
            let source = try random(count, columns, 1, on: backend), table = try random(10, columns, 2, on: backend)
            let indices = try backend.makeIndices((0..<count).map { Int32($0 * 7919 % 10) })
            backend.scatterAddRows(source, indices, into: table)
            backend.gatherRows(table, indices, into: source)
            return backend.download(table) + backend.download(source)
        }
    }

    @Test(arguments: [(100, 50, 10), (700, 20, 1024), (300, 30, 6001)], [0, 0.2])
    func crossEntropy(shape: (rows: Int, width: Int, classes: Int), dropout: Double) throws {
        try expectSameBits("\(shape.classes) classes") { backend in
            let inputs = try random(shape.rows, shape.width, 1, on: backend)
            let weight = try random(shape.classes, shape.width, 2, on: backend)
            let bias = try random(1, shape.classes, 3, on: backend)
            let gradients = try ProjectionGradients(
                inputs: backend.allocate(rows: shape.rows, columns: shape.width),
                weight: backend.allocate(rows: shape.classes, columns: shape.width),
                bias: backend.allocate(rows: 1, columns: shape.classes))
            let loss = try backend.makeSoftmaxCrossEntropy(classes: shape.classes, width: shape.width)
            let sums = try loss(
                inputs: inputs, weight: weight, bias: bias,
                targets: (0..<shape.rows).map { Int32($0 % 11 == 0 ? -1 : $0 * 31 % shape.classes) },
                dropout: dropout > 0 ? (dropout, RandomKey(seed: 3, purpose: .dropout)) : nil, gradients: gradients)
            return [Float(sums.totalLoss), Float(sums.correct)] + backend.download(gradients.inputs)
                + backend.download(gradients.weight) + backend.download(gradients.bias)
        }
    }

    /// A gated cell with two products in a row.
    struct TwoStages: RecurrentCell {
        var name: String { "two-stages" }
        var summary: String { "" }
        var stateNames: [String] { ["h", "c"] }
        var parameters: [CellParameter] {
            [
                .inputWeight("U_f"), .inputWeight("U_g"), .recurrentWeight("W_f"), .recurrentWeight("W_g"),
                .inputBias("b_f"), .recurrentBias("b_g"),
            ]
        }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            let (h, c) = (states[0], states[1])
            let f = sigmoid(p.U_f • x + p.W_f • h + p.b_f)
            let g = tanh(p.U_g • x + p.W_g • (f * h) + p.b_g)
            let next = f * c + (1 - f) * g
            return [g * tanh(next), next]
        }
    }

    @Test(arguments: [1, 7, 16, 100, 131, 300], [false, true])
    func recurrences(batch: Int, hasLengths: Bool) throws {
        let steps = 12
        try expectSameBits("\(batch) rows") { backend in
            let probe = try CellProbe(
                TwoStages(), on: backend, inputWidth: 20, hiddenWidth: 33, steps: steps, batch: batch,
                lengths: hasLengths ? (0..<batch).map { $0 * 5 % (steps + 1) } : nil)
            return try (probe.forward(probe.variables) + probe.gradient()).map { Float($0) }
        }
    }
}
