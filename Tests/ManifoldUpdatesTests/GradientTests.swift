import CPUBackend
import ManifoldUpdates
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// All updates, and whether their gradients are exact.
let everyUpdate: [(update: any ManifoldUpdate, isExact: Bool)] = [
    (ExponentialUpdate(), false), (ExponentialUpdate(method: .eigendecomposition), false),
    (ExactExponentialUpdate(), true), (CayleyUpdate(), true),
]

/// On Reference, exact gradients must agree with central differences to 1e-9.
@Test(arguments: everyUpdate.indices)
func updateConforms(index: Int) throws {
    let (update, isExact) = everyUpdate[index]
    try checkManifoldUpdate(update, on: ReferenceBackend(), isExact: isExact)
    try checkManifoldUpdate(update, on: CPUBackend(threads: 2), isExact: isExact)
}

@Test func namesAreDistinct() {
    #expect(
        everyUpdate.map(\.update.name) == ["exponential", "exponential", "exact-exponential", "cayley"])
}

private func gradient(
    _ update: any ManifoldUpdate, of weightGradient: [Double], at skew: [Double], size: Int, on backend: any Backend
) throws -> [Double] {
    let workspace = try update.makeWorkspace(size: size, on: backend)
    let b = try backend.makeMatrix(skew, rows: size, columns: size)
    let g = try backend.makeMatrix(weightGradient, rows: size, columns: size)
    let w = try backend.allocate(rows: size, columns: size), result = try backend.allocate(rows: size, columns: size)
    try workspace.computeWeight(from: b, into: w)
    try workspace.parameterGradient(weightGradient: g, weight: w, parameter: b, into: result)
    return backend.download(result)
}

@Test func exactGradientAgreesWithScipy() throws {
    for fixture in SkewFixture.gradients.cases {
        let largest = try #require(fixture.largest)
        func error(_ backend: any Backend) throws -> Double {
            fixture.error(
                of: try gradient(
                    ExactExponentialUpdate(), of: fixture.weightGradient, at: fixture.skew, size: fixture.size,
                    on: backend)) / largest
        }
        let double = try error(ReferenceBackend()), float = try error(CPUBackend())
        #expect(double <= 1e-12, "\(fixture): \(double)")
        #expect(float <= 1e-6 * (10 + fixture.norm), "\(fixture): \(float)")
    }
}

/// The paper's gradient is exact only at B = 0.
@Test func papersGradientIsExactAtZero() throws {
    let fixture = try #require(SkewFixture.gradients.cases.first { $0.size == 8 && $0.norm == 1 })
    let backend = ReferenceBackend()
    func gradients(at skew: [Double]) throws -> (paper: [Double], exact: [Double]) {
        (
            try gradient(ExponentialUpdate(), of: fixture.weightGradient, at: skew, size: 8, on: backend),
            try gradient(ExactExponentialUpdate(), of: fixture.weightGradient, at: skew, size: 8, on: backend)
        )
    }
    let zero = try gradients(at: [Double](repeating: 0, count: 64))
    #expect(zero.paper == zero.exact)
    // G Wᵀ − W Gᵀ with W = I.
    for i in 0..<8 {
        for j in 0..<8 {
            let expected = fixture.weightGradient[i * 8 + j] - fixture.weightGradient[j * 8 + i]
            #expect((zero.paper[i * 8 + j] - expected).magnitude < 1e-15)
        }
    }
    let elsewhere = try gradients(at: fixture.skew)
    #expect(relativeError(elsewhere.paper, elsewhere.exact) > 0.01)
}

/// In two dimensions everything commutes, so the two gradients agree at any angle.
@Test(arguments: [0.1, 1, 3, 20])
func papersGradientIsExactInTwoDimensions(angle: Double) throws {
    let skew = [0, -angle, angle, 0], g = [0.5, -1.25, 2, 0.75]
    let backend = ReferenceBackend()
    let paper = try gradient(ExponentialUpdate(), of: g, at: skew, size: 2, on: backend)
    let exact = try gradient(ExactExponentialUpdate(), of: g, at: skew, size: 2, on: backend)
    #expect(relativeError(paper, exact) < 1e-13)
    // The derivative of J = Σ G · W for the rotation by `angle`, by hand.
    let (c, s) = (RealFunctions.cos(angle), RealFunctions.sin(angle))
    let slope = -s * (g[0] + g[3]) + c * (g[2] - g[1])
    #expect((paper[2] - slope).magnitude < 1e-13)
}

/// Gradient descent with any update finds a given rotation.
@Test(arguments: everyUpdate.indices)
func descentFindsARotation(index: Int) throws {
    let backend = ReferenceBackend()
    let n = 5
    let fixture = try #require(SkewFixture.exponentials.cases.first { $0.size == 8 && $0.norm == 1 })
    let planted = (0..<n * n).map { fixture.skew[$0 / n * 8 + $0 % n] }
    let workspace = try everyUpdate[index].update.makeWorkspace(size: n, on: backend)
    func matrix(_ values: [Double]) throws -> MatrixView { try backend.makeMatrix(values, rows: n, columns: n) }
    let target = try matrix(planted), b = try matrix([Double](repeating: 0, count: n * n))
    let w = try matrix(planted), goal = try matrix(planted), slope = try matrix(planted),
        difference = try matrix(planted)
    try workspace.computeWeight(from: target, into: goal)
    let subtract = try backend.compile(PointwiseProgram(inputs: 2, scalars: 1) { x, s in [x[0] - s[0] * x[1]] })
    // J = ‖W − goal‖² / 2
    for _ in 0..<200 {
        try workspace.computeWeight(from: b, into: w)
        backend.run(subtract, inputs: [w, goal], outputs: [difference], scalars: [1])
        try workspace.parameterGradient(weightGradient: difference, weight: w, parameter: b, into: slope)
        backend.run(subtract, inputs: [b, slope], outputs: [b], scalars: [0.3])
    }
    let left: [Double] = backend.download(difference)
    #expect(left.allSatisfy { $0.magnitude < 1e-9 })
}

/// The rotations within remain rotations, however often they are squared.
@Test(arguments: [17, 50], [1e2, 1e3, 1e4])
func exactGradientHoldsAtLargeNorms(size: Int, scale: Double) throws {
    let fixture = try #require(SkewFixture.gradients.cases.first { $0.size == 50 && $0.norm == 1 })
    let skew = (0..<size * size).map { Double(Float(fixture.skew[$0 / size * 50 + $0 % size] * scale)) }
    let g = (0..<size * size).map { fixture.weightGradient[$0 / size * 50 + $0 % size] }
    let double = try gradient(ExactExponentialUpdate(), of: g, at: skew, size: size, on: ReferenceBackend())
    let float = try gradient(ExactExponentialUpdate(), of: g, at: skew, size: size, on: CPUBackend(threads: 1))
    let error = relativeError(float, double)
    #expect(error <= 1e-7 * (10 + scale), "\(error)")
}
