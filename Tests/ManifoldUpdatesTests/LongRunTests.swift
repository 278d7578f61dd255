import CPUBackend
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import ReferenceBackend
import Testing

/// A run that steps B along random gradients in Float32, as `ParameterUpdater` does.
private struct LongRun {
    /// The largest `‖WᵀW − I‖_max` during the run.
    var deviation = 0.0
    /// Whether Bᵀ = −B held exactly at every check.
    var isSkew = true
    /// The largest element of B at the end.
    var reached = 0.0

    init(
        _ update: any ManifoldUpdate, optimizer: any Optimizer, rate: Double, size n: Int, updates: Int, looks: Int,
        on backend: any Backend
    ) throws {
        let workspace = try update.makeWorkspace(size: n, on: backend)
        let kernel = try backend.compile(optimizer.program)
        var random = RandomStream(RandomKey(seed: 7, purpose: .test, stream: n))
        func matrix() throws -> MatrixView { try backend.allocate(rows: n, columns: n) }
        let gradients = try (0..<64).map { _ in
            try backend.makeMatrix((0..<n * n).map { _ in random.normal() }, rows: n, columns: n)
        }
        let b = try matrix(), w = try matrix(), slope = try matrix()
        let state = try (0..<optimizer.stateCount).map { _ in try matrix() }
        try workspace.computeWeight(from: b, into: w)
        for step in 1...updates {
            try workspace.parameterGradient(
                weightGradient: gradients[random.integer(below: 64)], weight: w, parameter: b, into: slope)
            backend.run(
                kernel, inputs: [b, slope] + state, outputs: [b] + state,
                scalars: [rate] + optimizer.scalars(step: step))
            try workspace.computeWeight(from: b, into: w)
            guard step % (updates / looks) == 0 else { continue }
            deviation = max(deviation, orthogonalityError(backend.download(w), size: n))
            let values: [Double] = backend.download(b)
            for i in 0..<n { for j in 0...i { isSkew = isSkew && values[i * n + j] == -values[j * n + i] } }
            reached = values.reduce(0) { max($0, $1.magnitude) }
        }
    }
}

@Test(arguments: everyUpdate.indices)
func staysOrthogonalOver100000Updates(index: Int) throws {
    let run = try LongRun(
        everyUpdate[index].update, optimizer: Adam(), rate: 0.01, size: 8, updates: 100_000, looks: 1000,
        on: CPUBackend(threads: 1))
    #expect(run.deviation <= 1e-5, "\(run.deviation)")
    #expect(run.isSkew)
    #expect(run.reached > 0.5, "B did not move")
}

@Test(arguments: everyUpdate.indices)
func staysOrthogonalWithMomentum(index: Int) throws {
    let run = try LongRun(
        everyUpdate[index].update, optimizer: SGD(momentum: 0.9, nesterov: true), rate: 0.02, size: 15, updates: 5000,
        looks: 500, on: CPUBackend(threads: 1))
    #expect(run.deviation <= 1e-5, "\(run.deviation)")
    #expect(run.isSkew)
    #expect(run.reached > 0.5, "B did not move")
}

@Test(arguments: everyUpdate.indices)
func staysOrthogonalAtSize128(index: Int) throws {
    let run = try LongRun(
        everyUpdate[index].update, optimizer: Adam(), rate: 0.05, size: 128, updates: 200, looks: 20,
        on: CPUBackend(threads: 2))
    #expect(run.deviation <= 1e-5, "\(run.deviation)")
    #expect(run.isSkew)
    #expect(run.reached > 0.5, "B did not move")
}

/// With huge but finite parameters, W is still orthogonal and the gradient skew, though few of W's
/// digits are significant.
@Test(arguments: everyUpdate.indices, [1e2, 1e3, 1e4, 1e5])
func hugeParametersStayOrthogonal(index: Int, scale: Double) throws {
    for size in [8, 17, 200] {
        let fixture = try #require(SkewFixture.exponentials.cases.first { $0.size == size && $0.norm == 1 })
        let backends: [any Backend] = [ReferenceBackend(), try CPUBackend(threads: 1)]
        for backend in size == 200 ? [backends[1]] : backends {
            let workspace = try everyUpdate[index].update.makeWorkspace(size: size, on: backend)
            func matrix(_ values: [Double]) throws -> MatrixView {
                try backend.makeMatrix(values, rows: size, columns: size)
            }
            let b = try matrix(fixture.skew.map { $0 * scale }), g = try matrix(fixture.weightGradient)
            let w = try matrix(fixture.skew), slope = try matrix(fixture.skew)
            try workspace.computeWeight(from: b, into: w)
            let deviation = orthogonalityError(backend.download(w), size: size)
            #expect(deviation <= 1e-5, "\(backend.name), n \(size): \(deviation)")
            try workspace.parameterGradient(weightGradient: g, weight: w, parameter: b, into: slope)
            let values: [Double] = backend.download(slope)
            // All updates have ‖gradient‖ ≤ 2 ‖G‖ at any B.
            func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
            #expect(norm(values) <= 2.001 * norm(fixture.weightGradient), "\(backend.name), n \(size)")
            for i in 0..<size {
                for j in 0...i {
                    guard values[i * size + j].isFinite, values[i * size + j] == -values[j * size + i] else {
                        Issue.record("\(backend.name), n \(size): gradient (\(i), \(j))")
                        return
                    }
                }
            }
        }
    }
}

@Test(arguments: everyUpdate.indices, [Double.nan, .infinity])
func notFiniteThrows(index: Int, value: Double) throws {
    let backends: [any Backend] = [ReferenceBackend(), try CPUBackend(threads: 1)]
    for backend in backends {
        let workspace = try everyUpdate[index].update.makeWorkspace(size: 3, on: backend)
        let b = try backend.makeMatrix([0, value, 0, -value, 0, 0, 0, 0, 0], rows: 3, columns: 3)
        let w = try backend.allocate(rows: 3, columns: 3)
        #expect(throws: RecurrentError.self, "\(backend.name)") { try workspace.computeWeight(from: b, into: w) }
    }
}
