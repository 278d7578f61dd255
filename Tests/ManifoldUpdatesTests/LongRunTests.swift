import CPUBackend
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import ReferenceBackend
import Testing

/// A run that steps a weight along random gradients in Float32.
private struct LongRun {
    /// The largest `‖WᴴW − I‖_max` during the run, or the largest distance of a singular value from 1 ± the margin.
    var deviation = 0.0
    /// Whether each parameter had its structure exactly at every check.
    var isSkew = true
    /// The largest element of W at the end minus at the start.
    var moved = 0.0

    init(
        _ item: UpdateCase, optimizer: any Optimizer, rate: Double, size n: Int, updates: Int, looks: Int,
        given: [Double]? = nil, on backend: any Backend
    ) throws {
        let weight = try ConstrainedWeight(item, size: n, optimizer: optimizer, rate: rate, on: backend)
        if let given {
            backend.upload(given, to: weight.weight)
            try weight.updater.adoptWeights()
        }
        let rows = weight.weight.rows, margin = item.update.traits.spectralMargin
        var random = RandomStream(RandomKey(seed: 7, purpose: .test, stream: n))
        let gradients = try (0..<64).map { _ in
            try backend.makeMatrix((0..<rows * n).map { _ in random.normal() }, rows: rows, columns: n)
        }
        let start: [Double] = backend.download(weight.weight)
        for step in 1...updates {
            backend.copy(gradients[random.integer(below: 64)], to: weight.gradient)
            try weight.step()
            guard step % (updates / looks) == 0 else { continue }
            if margin == 0 {
                deviation = max(deviation, try weight.orthogonalityError)
            } else {
                let range = try SingularValues.range(of: weight.weight, on: backend)
                deviation = max(deviation, 1 - margin - range.lowerBound, range.upperBound - 1 - margin)
            }
            let point = weight.updater.constrained[0].point
            let layout = try item.update.makeWorkspace(item.field, size: n, on: backend).parameters
            for (matrix, view) in zip(layout, point.parameters) {
                isSkew = isSkew && Self.hasStructure(matrix, backend.download(view))
            }
        }
        let end: [Double] = backend.download(weight.weight)
        moved = zip(start, end).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
    }

    private static func hasStructure(_ matrix: ManifoldMatrix, _ values: [Double]) -> Bool {
        let n = matrix.columns
        guard matrix.structure != .free else { return values.allSatisfy(\.isFinite) }
        return (0..<n).allSatisfy { i in
            (0...i).allSatisfy { j in
                values[i * n + j] == -values[j * n + i]
                    && (matrix.structure == .skew || values[(n + i) * n + j] == values[(n + j) * n + i])
            }
        }
    }
}

@Test(arguments: UpdateCase.distinct)
func staysOrthogonalOver100000Updates(item: UpdateCase) throws {
    let run = try LongRun(
        item, optimizer: Adam(), rate: 0.01, size: item.field == .real ? 4 : 2, updates: 100_000, looks: 50,
        on: CPUBackend(threads: 1))
    #expect(run.deviation <= 1e-5, "\(run.deviation)")
    #expect(run.isSkew)
    #expect(run.moved > 0.1, "W did not move")
}

/// The same from weights with the eigenvalue −1, some of which are reflections.
@Test(arguments: UpdateCase.all)
func staysOrthogonalFromHalfTurns(item: UpdateCase) throws {
    let traits = item.update.traits
    guard traits.starts != .nowhere, traits.reachesHalfTurns else { return }
    let n = 4, isRotation = traits.starts == .rotations && item.field == .real
    let diagonal = [-1, isRotation ? -1 : 1, 1, 1].map(Double.init)
    let given = (0..<n * n).map { $0 / n == $0 % n ? diagonal[$0 / n] : 0 }
    let run = try LongRun(
        item, optimizer: Adam(), rate: 0.01, size: n, updates: 1000, looks: 20,
        given: given + (item.field == .real ? [] : [Double](repeating: 0, count: n * n)), on: CPUBackend(threads: 1))
    #expect(run.deviation <= 1e-5, "\(run.deviation)")
    #expect(run.isSkew)
    #expect(run.moved > 0.1, "W did not move")
}

@Test(arguments: UpdateCase.all)
func staysOrthogonalWithMomentum(item: UpdateCase) throws {
    let run = try LongRun(
        item, optimizer: SGD(momentum: 0.9, nesterov: true), rate: 0.02, size: item.field == .real ? 15 : 7,
        updates: 1000, looks: 20, on: CPUBackend(threads: 1))
    #expect(run.deviation <= 1e-5, "\(run.deviation)")
    #expect(run.isSkew)
    #expect(run.moved > 0.1, "W did not move")
}

@Test(arguments: UpdateCase.all)
func staysOrthogonalAtSize128(item: UpdateCase) throws {
    let run = try LongRun(
        item, optimizer: Adam(), rate: 0.05, size: item.field == .real ? 128 : 64,
        updates: item.field == .real ? 60 : 20, looks: 5, on: CPUBackend(threads: 2))
    #expect(run.deviation <= 1e-5, "\(run.deviation)")
    #expect(run.isSkew)
    #expect(run.moved > 0.01, "W did not move")
}

/// With huge but finite parameters, W is still orthogonal and the gradient skew, though few of W's
/// digits are significant.
@Test(arguments: everyUpdate.indices, [1e2, 1e3, 1e4, 1e5])
func hugeParametersStayOrthogonal(index: Int, scale: Double) throws {
    let update = everyUpdate[index]
    guard update.traits.fields.contains(.real) else { return }
    for size in [8, 17, 200] {
        let fixture = try #require(SkewFixture.exponentials.cases.first { $0.size == size && $0.norm == 1 })
        let backends: [any Backend] = [ReferenceBackend(), try CPUBackend(threads: 1)]
        for backend in size == 200 ? [backends[1]] : backends {
            let workspace = try update.makeWorkspace(size: size, on: backend)
            guard workspace.parameters.allSatisfy({ $0.structure == .skew }) else { return }
            func matrix(_ values: [Double]) throws -> MatrixView {
                try backend.makeMatrix(values, rows: size, columns: size)
            }
            let b = try matrix(fixture.skew.map { $0 * scale }), g = try matrix(fixture.weightGradient)
            let w = try matrix(fixture.skew), slope = try matrix(fixture.skew)
            let point = try ManifoldPoint(for: workspace, on: backend)
            var random = RandomStream(RandomKey(seed: 1, purpose: .test))
            try workspace.initialize(point, skew: matrix(fixture.skew), random: &random)
            backend.copy(b, to: point.parameters[0])
            try workspace.computeWeight(at: point, into: w)
            let deviation = orthogonalityError(backend.download(w), size: size)
            #expect(deviation <= 1e-5, "\(backend.name), n \(size): \(deviation)")
            try workspace.parameterGradients(weightGradient: g, weight: w, at: point, into: [slope])
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

@Test(arguments: UpdateCase.all, [Double.nan, .infinity])
func notFiniteThrows(item: UpdateCase, value: Double) throws {
    let backends: [any Backend] = [ReferenceBackend(), try CPUBackend(threads: 1)]
    for backend in backends {
        let weight = try ConstrainedWeight(item, size: 3, optimizer: SGD(), rate: 1, on: backend)
        let point = weight.updater.constrained[0].point
        for (number, view) in point.parameters.enumerated() where view.rows != 1 {
            var values: [Double] = backend.download(view)
            let before = values
            values[1] = value
            if number != 1 || view.rows != 4 { values[3] = -value }
            backend.upload(values, to: view)
            let workspace = try item.update.makeWorkspace(item.field, size: 3, on: backend)
            #expect(throws: RecurrentError.self, "\(backend.name)") {
                try workspace.computeWeight(at: point, into: weight.weight)
            }
            backend.upload(before, to: view)
        }
    }
}
