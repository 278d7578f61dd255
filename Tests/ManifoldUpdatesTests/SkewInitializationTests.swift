import ManifoldUpdates
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

private func values(_ initialization: any SkewInitialization, size: Int, seed: UInt64 = 1) -> [Double] {
    var random = RandomStream(RandomKey(seed: seed, purpose: .initialization))
    return initialization.values(size: size, random: &random)
}

private let everyInitialization: [any SkewInitialization] = [ZeroSkew(), HenaffSkew(), CayleySkew(), UniformSkew()]

@Test func initializationsConform() throws {
    for initialization in everyInitialization { try checkSkewInitialization(initialization) }
    #expect(everyInitialization.map(\.name) == ["zero", "henaff", "cayley", "uniform"])
}

@Test func zeroIsTheIdentity() {
    #expect(values(ZeroSkew(), size: 5).allSatisfy { $0 == 0 })
}

@Test func othersDependOnTheSeed() {
    for initialization in everyInitialization.dropFirst() {
        #expect(values(initialization, size: 6, seed: 1) != values(initialization, size: 6, seed: 2))
    }
}

@Test func uniformFillsItsRange() {
    let all = values(UniformSkew(scale: 0.25), size: 60)
    let largest = all.max()!
    #expect(largest <= 0.25 && largest > 0.24)
    let below = (0..<60).flatMap { i in (0..<i).map { all[i * 60 + $0] } }
    #expect(below.allSatisfy { $0 != 0 })
    #expect((below.reduce(0, +) / Double(below.count)).magnitude < 0.25 / 20)
    #expect(values(UniformSkew(), size: 20).max()! <= 0.01)
}

/// Returns the element below the diagonal of each block; elements outside the blocks must be 0.
private func blocks(_ all: [Double], size n: Int) -> [Double] {
    for i in 0..<n {
        for j in 0..<n where i / 2 != j / 2 || i == j { #expect(all[i * n + j] == 0) }
    }
    return (0..<n / 2).map { all[(2 * $0 + 1) * n + 2 * $0] }
}

/// Returns the weight's rotation for each block, as (cosine, sine).
private func rotations(_ skew: [Double], size n: Int, _ update: any ManifoldUpdate) throws -> [(Double, Double)] {
    let backend = ReferenceBackend()
    let w = try backend.allocate(rows: n, columns: n)
    try update.makeWorkspace(size: n, on: backend).computeWeight(
        at: ManifoldPoint(backend.makeMatrix(skew, rows: n, columns: n)), into: w)
    let values: [Double] = backend.download(w)
    return (0..<n / 2).map { (values[2 * $0 * n + 2 * $0], values[(2 * $0 + 1) * n + 2 * $0]) }
}

@Test func henaffRotatesByUniformAngles() throws {
    let n = 401
    let angles = blocks(values(HenaffSkew(), size: n), size: n)
    #expect(angles.allSatisfy { $0.magnitude <= .pi })
    // Each quarter of the circle has 50 of 200, within 4 standard deviations.
    for quarter in -2..<2 {
        let count = angles.count { $0 >= Double(quarter) * .pi / 2 && $0 < Double(quarter + 1) * .pi / 2 }
        #expect((26...74).contains(count))
    }
    let few = Array(angles.prefix(4))
    let small = blocks(values(HenaffSkew(), size: 9), size: 9)
    #expect(small == few)
    for ((c, s), angle) in zip(try rotations(values(HenaffSkew(), size: 9), size: 9, ExponentialUpdate()), few) {
        #expect((c - RealFunctions.cos(angle)).magnitude < 1e-13 && (s - RealFunctions.sin(angle)).magnitude < 1e-13)
    }
}

/// The blocks are s = tan(t / 2) with t uniform in [0, π/2]; scoRNN's transform
/// (I + A)⁻¹ (I − A) makes a rotation by t of such a block.
@Test func cayleyBlocksAreTangents() throws {
    let n = 400
    let tangents = blocks(values(CayleySkew(), size: n), size: n)
    #expect(tangents.allSatisfy { $0 >= 0 && $0 <= 1 })
    // In half of the cases t is below π/4: tan(π/8) = 0.414.
    let small = tangents.count { $0 < 0.41421356 }
    #expect((72...128).contains(small))
}
