import CPUBackend
import ManifoldUpdates
import RecurrentCore
import ReferenceBackend
import Testing

private func exponential(
    _ skew: [Double], size: Int, method: SkewExponential.Method, on backend: any Backend
) throws -> [Double] {
    let exponential = try SkewExponential(size: size, on: backend, method: method)
    let b = try backend.makeMatrix(skew, rows: size, columns: size)
    let w = try backend.allocate(rows: size, columns: size)
    try exponential(b, into: w)
    return backend.download(w)
}

@Test func productsAgreeWithScipyInDouble() throws {
    let backend = ReferenceBackend()
    for fixture in SkewFixture.exponentials.cases {
        let w = try exponential(fixture.skew, size: fixture.size, method: .scalingAndSquaring, on: backend)
        let error = fixture.error(of: w), deviation = orthogonalityError(w, size: fixture.size)
        #expect(error <= 1e-12, "\(fixture): \(error) from scipy")
        #expect(deviation <= 1e-12, "\(fixture): WᵀW − I \(deviation)")
    }
}

@Test func eigendecompositionAgreesWithScipyInDouble() throws {
    // Reference's Jacobi rotations take too long for larger sizes.
    let cases = SkewFixture.exponentials.cases.filter { $0.size <= 50 }
    #expect(cases.count > 30)
    for fixture in cases {
        let w = try exponential(fixture.skew, size: fixture.size, method: .eigendecomposition, on: ReferenceBackend())
        let error = fixture.error(of: w)
        #expect(error <= 1e-12, "\(fixture): \(error) from scipy")
    }
}

@Test(arguments: SkewExponential.Method.allCases)
func agreesWithScipyInFloat(method: SkewExponential.Method) throws {
    let backend = try CPUBackend()
    for fixture in SkewFixture.exponentials.cases {
        let w = try exponential(fixture.skew, size: fixture.size, method: method, on: backend)
        let error = fixture.error(of: w), deviation = orthogonalityError(w, size: fixture.size)
        #expect(error <= 1e-6 * (10 + fixture.norm), "\(fixture): \(error) from scipy")
        #expect(deviation <= 1e-5, "\(fixture): WᵀW − I \(deviation)")
    }
}

@Test func fixtureReachesTheNormsAndSizesThatMatter() {
    let cases = SkewFixture.exponentials.cases
    #expect(cases.map(\.norm).max() == 100 && cases.map(\.size).max() == 512)
    #expect(cases.contains { $0.norm == 100 && $0.size == 512 })
}

@Test(arguments: SkewExponential.Method.allCases, [0.0, 1e-30, 1e-4, 0.1, 0.7, 1.5, 3, 3.14159, 40, 1e4])
func twoDimensionsAreARotation(method: SkewExponential.Method, angle: Double) throws {
    let w = try exponential([0, -angle, angle, 0], size: 2, method: method, on: ReferenceBackend())
    let (c, s) = (RealFunctions.cos(angle), RealFunctions.sin(angle))
    for (actual, expected) in zip(w, [c, -s, s, c]) {
        #expect((actual - expected).magnitude <= 1e-15 * (4 + 4 * angle))
    }
}

@Test(arguments: SkewExponential.Method.allCases)
func oppositeParametersGiveTransposes(method: SkewExponential.Method) throws {
    for fixture in SkewFixture.exponentials.cases where fixture.size == 17 {
        let (b, n) = (fixture.skew, fixture.size)
        let w = try exponential(b, size: n, method: method, on: CPUBackend(threads: 1))
        let back = try exponential(b.map { -$0 }, size: n, method: method, on: CPUBackend(threads: 1))
        for i in 0..<n {
            for j in 0..<n {
                #expect((w[i * n + j] - back[j * n + i]).magnitude <= 2e-6 * (10 + fixture.norm))
            }
        }
    }
}

/// Accuracy is the same on both sides of a change in the number of squarings.
@Test func everyNumberOfSquaringsIsAccurate() throws {
    let (double, float) = (ReferenceBackend(), try CPUBackend(threads: 1))
    for exponent in stride(from: -8.0, through: 8, by: 0.125) {
        let angle = Double(Float(RealFunctions.exp(exponent * RealFunctions.log(2))))
        // Blocks of unequal angles: eigenvalues ±angle, ±angle / 3.
        var b = [Double](repeating: 0, count: 25)
        b[1] = -angle
        b[5] = angle
        b[13] = Double(-Float(angle / 3))
        b[17] = -b[13]
        func errors(_ backend: any Backend) throws -> Double {
            let w = try exponential(b, size: 5, method: .scalingAndSquaring, on: backend)
            let expected = [
                (0, RealFunctions.cos(b[5])), (5, RealFunctions.sin(b[5])), (12, RealFunctions.cos(b[17])),
                (17, RealFunctions.sin(b[17])), (24, 1), (2, 0), (14, 0),
            ]
            return expected.reduce(0) { max($0, (w[$1.0] - $1.1).magnitude) }
        }
        #expect(try errors(double) <= 1e-15 * (10 + 2 * angle), "Double, angle \(angle)")
        #expect(try errors(float) <= 5e-7 * (10 + angle), "Float, angle \(angle)")
    }
}

@Test(arguments: SkewExponential.Method.allCases, [Double.nan, .infinity])
func notFiniteThrows(method: SkewExponential.Method, value: Double) throws {
    var b = [Double](repeating: 0, count: 16)
    (b[1], b[4]) = (value, -value)
    let backends: [any Backend] = [ReferenceBackend(), try CPUBackend(threads: 1)]
    for backend in backends {
        let error = #expect(throws: RecurrentError.self) {
            try exponential(b, size: 4, method: method, on: backend)
        }
        guard case .linearAlgebra(let text) = error else {
            Issue.record("\(backend.name): \(String(describing: error))")
            continue
        }
        #expect(!text.isEmpty && !text.contains("\n"))
    }
}

/// The bits don't depend on the number of threads.
@Test(arguments: [50, 200])
func threadsDontMatter(size: Int) throws {
    let fixture = try #require(SkewFixture.exponentials.cases.first { $0.size == size && $0.norm == 10 })
    let one = try exponential(fixture.skew, size: size, method: .scalingAndSquaring, on: CPUBackend(threads: 1))
    for threads in 2...3 {
        let more = try exponential(
            fixture.skew, size: size, method: .scalingAndSquaring, on: CPUBackend(threads: threads))
        #expect(more == one)
    }
}
