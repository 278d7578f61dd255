import CPUBackend
import ManifoldUpdates
import RecurrentCore
import ReferenceBackend
import Testing

/// From which weights products of reflections start, and what they say about others.
struct HouseholderStartTests {
    private let backend = ReferenceBackend()

    /// Returns the error of adopting a weight, or the distance of the weight that is found.
    private func start(
        _ count: Int?, _ field: WeightField, _ weight: [Double], size: Int, on backend: (any Backend)? = nil
    ) throws -> (error: String?, distance: Double) {
        let backend = backend ?? self.backend, rows = field.rows(size: size)
        let workspace = try HouseholderUpdate(reflections: count).makeWorkspace(field, size: size, on: backend)
        let point = try ManifoldPoint(for: workspace, on: backend)
        let found = try backend.allocate(rows: rows, columns: size)
        do {
            try workspace.adopt(backend.makeMatrix(weight, rows: rows, columns: size), into: point)
            try workspace.computeWeight(at: point, into: found)
        } catch { return ("\(error)", .infinity) }
        let values: [Double] = backend.download(found)
        return (nil, zip(values, weight).reduce(0) { max($0, ($1.0 - $1.1).magnitude) })
    }

    private func diagonal(_ values: [Double]) -> [Double] {
        let n = values.count
        return (0..<n * n).map { $0 / n == $0 % n ? values[$0 / n] : 0 }
    }

    /// Returns the weight of random parameters: a product of so many reflections that isn't in any special form.
    private func random(_ count: Int, _ field: WeightField, size: Int) throws -> [Double] {
        let workspace = try HouseholderUpdate(reflections: count).makeWorkspace(field, size: size, on: backend)
        let point = try ManifoldPoint(for: workspace, on: backend)
        var random = RandomStream(RandomKey(seed: 9, purpose: .test, stream: size))
        for (matrix, view) in zip(workspace.parameters, point.parameters) {
            backend.upload((0..<matrix.count).map { _ in random.normal() }, to: view)
        }
        let weight = try backend.allocate(rows: field.rows(size: size), columns: size)
        try workspace.computeWeight(at: point, into: weight)
        return backend.download(weight)
    }

    @Test func theDeterminantMustFit() throws {
        let even = try start(2, .real, diagonal([-1, 1, 1, 1]), size: 4).error
        #expect(
            even
                == "a product of 2 reflections has the determinant 1, and the given weight −1; choose an odd number of `reflections`, such as 3"
        )
        let odd = try start(3, .real, diagonal([-1, 1, 1, -1, 1]), size: 5).error
        #expect(
            odd
                == "a product of 3 reflections has the determinant −1, and the given weight 1; choose an even number of `reflections`, such as 6"
        )
        // What they name does.
        #expect(try start(3, .real, diagonal([-1, 1, 1, 1]), size: 4).distance < 1e-12)
        #expect(try start(6, .real, diagonal([-1, 1, 1, -1, 1]), size: 5).distance < 1e-12)
        #expect(try start(1, .real, [-1], size: 1).distance == 0)
        #expect(try start(2, .real, [1], size: 1).distance == 0)
    }

    @Test func realReflectionsMustSuffice() throws {
        #expect(try start(2, .real, diagonal([-1, 1, -1, 1]), size: 4).distance < 1e-12)
        let few = try start(2, .real, diagonal([-1, -1, -1, -1]), size: 4).error
        #expect(
            few
                == "the given weight is a product of 4 reflections, more than 2; choose an even number of `reflections` from 4 on"
        )
        #expect(try start(4, .real, diagonal([-1, -1, -1, -1]), size: 4).distance < 1e-12)
        let odd = try start(1, .real, diagonal([-1, -1, -1, 1, 1, 1]), size: 6).error
        #expect(odd?.contains("a product of 3 reflections, more than 1; choose an odd number") == true)
        #expect(try start(3, .real, diagonal([-1, -1, -1, 1, 1, 1]), size: 6).distance < 1e-12)
    }

    /// A product of few reflections is one of as many again, as when training starts from a run of the same update.
    @Test(arguments: 1...5) func productsOfFewStartAgain(count: Int) throws {
        let weight = try random(count, .real, size: 5)
        #expect(try start(count, .real, weight, size: 5).distance < 1e-9)
        #expect(try start(count, .real, weight, size: 5, on: CPUBackend(threads: 1)).distance < 1e-5)
    }

    /// Every unitary weight is reached by n − 1 reflections, and by more.
    @Test(arguments: 1...7) func everyUnitaryWeightIsReached(n: Int) throws {
        let weight = try random(2 * n + 1, .complex, size: n)
        for count in [nil, max(1, n - 1), n + 1, 2 * n + 2] {
            let (error, distance) = try start(count, .complex, weight, size: n)
            #expect(distance < 1e-12, "\(String(describing: count)): \(error ?? "")")
            #expect(try start(count, .complex, weight, size: n, on: CPUBackend(threads: 1)).distance < 2e-6)
        }
    }

    @Test func complexReflectionsMustSuffice() throws {
        let weight = try random(11, .complex, size: 5)
        let few = try start(2, .complex, weight, size: 5).error
        #expect(
            few
                == "the QR decomposition of the given weight takes 4 reflections, more than 2; choose 4 `reflections` or more; 4 are enough for every weight"
        )
        // A diagonal takes none, and a rotation of two units one.
        let zeros = [Double](repeating: 0, count: 25)
        var rotation = diagonal([0.6, 1, -1, 0.6, 1])
        (rotation[3], rotation[15]) = (-0.8, 0.8)
        for real in [diagonal([1, 1, 1, 1, 1]), diagonal([1, -1, 1, -1, -1]), rotation] {
            #expect(try start(1, .complex, real + zeros, size: 5).distance < 1e-12)
            #expect(try start(1, .complex, zeros + real, size: 5).distance < 1e-12)
        }
        let broken = try start(nil, .complex, zeros + [.nan] + zeros.dropFirst(), size: 5).error
        #expect(broken == "the given weight holds numbers that aren't finite")
    }

    /// Training starts at exp(B₀), or with k of its columns.
    @Test(arguments: [1, 2, 4, 5, 6, 12]) func theStartIsTheExponential(count: Int) throws {
        let n = 5
        var random = RandomStream(RandomKey(seed: 4, purpose: .test))
        let skew = try backend.makeMatrix(
            UniformSkew(scale: 1.5).complexValues(size: n, random: &random), rows: 2 * n, columns: n)
        let (expected, found) = (
            try backend.allocate(rows: 2 * n, columns: n), try backend.allocate(rows: 2 * n, columns: n)
        )
        try ExactExponentialUpdate().makeUnitaryWorkspace(size: n, on: backend).computeWeight(
            at: ManifoldPoint(skew), into: expected)
        let workspace = try HouseholderUpdate(reflections: count).makeUnitaryWorkspace(size: n, on: backend)
        let point = try ManifoldPoint(for: workspace, on: backend)
        try workspace.initialize(point, skew: skew, random: &random)
        try workspace.computeWeight(at: point, into: found)
        let (w, x): ([Double], [Double]) = (backend.download(expected), backend.download(found))
        let errors = (0..<n).map { column in
            (0..<2 * n).reduce(0) { max($0, (w[$1 * n + column] - x[$1 * n + column]).magnitude) }
        }
        #expect(errors.count { $0 < 1e-12 } == (count >= n - 1 ? n : count), "\(errors)")
    }
}
