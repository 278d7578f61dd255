import CPUBackend
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// On Reference, exact gradients must agree with central differences to 1e-9.
@Test(arguments: everyUpdate.indices)
func updateConforms(index: Int) throws {
    // Three reflections don't reach all weights of larger sizes.
    let isSmall = (everyUpdate[index] as? HouseholderUpdate)?.reflections == 3
    try checkManifoldUpdate(everyUpdate[index], on: ReferenceBackend(), sizes: [1, 2, 3] + (isSmall ? [] : [6]))
    try checkManifoldUpdate(
        everyUpdate[index], on: CPUBackend(threads: 2), sizes: [1, 2, 3] + (isSmall ? [] : [8, 17]))
}

@Test func namesAndTraits() {
    #expect(
        Set(everyUpdate.map(\.name)) == [
            "exponential", "exact-exponential", "cayley", "dynamic-trivialization", "retraction", "scaled-cayley",
            "spectral-margin", "householder", "arjovsky-factors",
        ])
    #expect(everyFunction.allSatisfy { $0.update.traits.isExact == $0.isExact })
    #expect(MarginUpdate(margin: 0.3).traits.spectralMargin == 0.3)
    #expect(HouseholderUpdate(reflections: 3).traits.starts == .reflections)
    #expect(HouseholderUpdate().traits.fields == [.real, .complex])
    #expect(
        ArjovskyUpdate().traits.text
            == "complex weights, exact gradient, training can start from no given weight but its own")
}

private func gradient(
    _ update: any ManifoldUpdate, of weightGradient: [Double], at skew: [Double], size: Int, on backend: any Backend
) throws -> [Double] {
    let workspace = try update.makeWorkspace(size: size, on: backend)
    let b = try backend.makeMatrix(skew, rows: size, columns: size)
    let g = try backend.makeMatrix(weightGradient, rows: size, columns: size)
    let w = try backend.allocate(rows: size, columns: size), result = try backend.allocate(rows: size, columns: size)
    try workspace.computeWeight(at: ManifoldPoint(b), into: w)
    try workspace.parameterGradients(
        weightGradient: g, weight: w, at: ManifoldPoint(b), into: [result])
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

/// Gradient descent with any update finds a given rotation, real or unitary.
@Test(arguments: UpdateCase.all)
func descentFindsARotation(item: UpdateCase) throws {
    // These don't reach all rotations, or only through infinity.
    let reflects = (item.update as? HouseholderUpdate)?.reflections != nil && item.field == .real
    let isScaled = (item.update as? ScaledCayleyUpdate)?.negativeOnes ?? 0 > 0
    guard item.update.traits.starts != .nowhere, !reflects, !isScaled else { return }
    let backend = ReferenceBackend(), n = 4
    let weight = try ConstrainedWeight(item, size: n, optimizer: SGD(), rate: 0.2, skew: UniformSkew(), on: backend)
    let goal = try ConstrainedWeight(
        UpdateCase(update: ExactExponentialUpdate(), field: item.field), size: n, optimizer: SGD(), rate: 1,
        skew: UniformSkew(scale: 0.5), on: backend
    ).weight
    let subtract = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [x[0] - x[1]] })
    func difference() -> Double {
        // J = ‖W − goal‖² / 2
        backend.run(subtract, inputs: [weight.weight, goal], outputs: [weight.gradient])
        return (backend.download(weight.gradient) as [Double]).reduce(0) { max($0, $1.magnitude) }
    }
    #expect(difference() > 0.1)
    for _ in 0..<400 {
        _ = difference()
        try weight.step()
    }
    // Singular values approach 1 slowly, as little depends on their logits.
    #expect(difference() < (item.update.traits.spectralMargin > 0 ? 1e-3 : 1e-6))
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
