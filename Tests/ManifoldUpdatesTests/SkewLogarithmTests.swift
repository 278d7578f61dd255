import CPUBackend
import ManifoldUpdates
import RecurrentCore
import ReferenceBackend
import Testing

/// From a weight back to its parameter.
struct SkewLogarithmTests {
    /// Returns a random skew matrix whose rotation angles are below about `angle`.
    private func skew(_ size: Int, angle: Double, seed: UInt64 = 1) -> [Double] {
        var random = RandomStream(RandomKey(seed: seed, purpose: .test, stream: size))
        let deviation = angle / 2 / Double(size).squareRoot()
        var values = [Double](repeating: 0, count: size * size)
        for i in 0..<size {
            for j in 0..<i {
                values[i * size + j] = deviation * random.normal()
                values[j * size + i] = -values[i * size + j]
            }
        }
        return values
    }

    private func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }

    @Test(arguments: [1, 2, 3, 10, 33, 64], [0, 1e-6, 0.3, 1.5, 2.5])
    func undoesTheExponential(size: Int, angle: Double) throws {
        for (backend, tolerance) in [(ReferenceBackend(), 1e-12), (try CPUBackend(), 2e-5)] as [(any Backend, Double)] {
            let values = skew(size, angle: angle)
            let b = try backend.makeMatrix(values, rows: size, columns: size)
            let w = try backend.allocate(rows: size, columns: size),
                back = try backend.allocate(rows: size, columns: size)
            try SkewExponential(size: size, on: backend, method: .scalingAndSquaring)(b, into: w)
            try SkewLogarithm(size: size, on: backend)(w, into: back)
            let found: [Double] = backend.download(back)
            #expect(largestDifference(found, values) <= tolerance, "\(backend.name)")
            for i in 0..<size { for j in 0...i { #expect(found[i * size + j] == -found[j * size + i]) } }
        }
    }

    /// In two dimensions the angle is known, even close to π.
    @Test(arguments: [0.1, 1, 3, 3.14, 3.1415, -3.1])
    func anglesUpToPi(angle: Double) throws {
        let backend = ReferenceBackend()
        let (c, s) = (RealFunctions.cos(angle), RealFunctions.sin(angle))
        let w = try backend.makeMatrix([c, -s, s, c], rows: 2, columns: 2),
            b = try backend.allocate(rows: 2, columns: 2)
        try SkewLogarithm(size: 2, on: backend)(w, into: b)
        #expect(largestDifference(backend.download(b), [0, -angle, angle, 0]) <= 1e-9)
    }

    static let updates: [any ManifoldUpdate] = [
        ExponentialUpdate(), ExponentialUpdate(method: .eigendecomposition), ExactExponentialUpdate(), CayleyUpdate(),
    ]

    /// Every update finds a parameter for a weight that it computed itself.
    @Test(arguments: updates.indices, [1, 7, 40])
    func parametersOfWeights(index: Int, size: Int) throws {
        for (backend, tolerance) in [(ReferenceBackend(), 1e-11), (try CPUBackend(), 1e-4)] as [(any Backend, Double)] {
            let workspace = try Self.updates[index].makeWorkspace(size: size, on: backend)
            let values = skew(size, angle: 2, seed: 3)
            let b = try backend.makeMatrix(values, rows: size, columns: size)
            let w = try backend.allocate(rows: size, columns: size),
                back = try backend.allocate(rows: size, columns: size)
            try workspace.computeWeight(at: ManifoldPoint(b), into: w)
            try workspace.adopt(w, into: ManifoldPoint(back))
            #expect(largestDifference(backend.download(back), values) <= tolerance, "\(backend.name)")
        }
    }
}
