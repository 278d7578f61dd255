import ManifoldUpdates
import RecurrentCore
import ReferenceBackend
import Testing

/// The weights of the updates, compared with their equations, which are computed on the host in the plainest way.
struct DefinitionTests {
    private let backend = ReferenceBackend()

    /// A complex matrix, row by row.
    private struct Complex {
        var rows: Int
        var real: [Double], imaginary: [Double]
        var columns: Int { real.count / rows }

        init(rows: Int, real: [Double], imaginary: [Double]? = nil) {
            (self.rows, self.real) = (rows, real)
            self.imaginary = imaginary ?? real.map { $0 * 0 }
        }
        static func * (a: Complex, b: Complex) -> Complex {
            var result = Complex(rows: a.rows, real: [Double](repeating: 0, count: a.rows * b.columns))
            for i in 0..<a.rows {
                for j in 0..<b.columns {
                    for k in 0..<b.rows {
                        let (x, y) = (i * a.columns + k, k * b.columns + j)
                        result.real[i * b.columns + j] +=
                            a.real[x] * b.real[y] - a.imaginary[x] * b.imaginary[y]
                        result.imaginary[i * b.columns + j] +=
                            a.real[x] * b.imaginary[y] + a.imaginary[x] * b.real[y]
                    }
                }
            }
            return result
        }
        var adjoint: Complex {
            func transposed(_ values: [Double]) -> [Double] {
                (0..<values.count).map { values[$0 % rows * columns + $0 / rows] }
            }
            return Complex(rows: columns, real: transposed(real), imaginary: transposed(imaginary).map { -$0 })
        }
        static func diagonal(_ angles: [Double]) -> Complex {
            let n = angles.count
            func matrix(_ value: (Double) -> Double) -> [Double] {
                (0..<n * n).map { $0 / n == $0 % n ? value(angles[$0 / n]) : 0 }
            }
            return Complex(rows: n, real: matrix(RealFunctions.cos), imaginary: matrix(RealFunctions.sin))
        }
        /// `I − 2 v vᴴ / ‖v‖²` for v as parts of one column.
        static func reflection(_ a: [Double], _ b: [Double]) -> Complex {
            let n = a.count, column = Complex(rows: n, real: a, imaginary: b)
            let square = (a + b).reduce(0) { $0 + $1 * $1 }
            var result = column * column.adjoint
            for i in 0..<n * n {
                result.real[i] = (i / n == i % n ? 1 : 0) - 2 * result.real[i] / square
                result.imaginary[i] *= -2 / square
            }
            return result
        }
        func distance(to stacked: [Double]) -> Double {
            zip(real + imaginary, stacked + [Double](repeating: 0, count: 2 * real.count - stacked.count)).reduce(0) {
                max($0, ($1.0 - $1.1).magnitude)
            }
        }
    }

    /// Returns a point that has moved from the start, and its weight.
    private func moved(
        _ update: any ManifoldUpdate, _ field: WeightField, size: Int
    ) throws -> (point: ManifoldPoint, weight: [Double]) {
        let workspace = try update.makeWorkspace(field, size: size, on: backend)
        let point = try ManifoldPoint(for: workspace, on: backend), rows = field.rows(size: size)
        var random = RandomStream(RandomKey(seed: 3, purpose: .test))
        func skew(_ scale: Double) -> [Double] {
            let start = UniformSkew(scale: scale)
            return field == .real
                ? start.values(size: size, random: &random) : start.complexValues(size: size, random: &random)
        }
        try workspace.initialize(
            point, skew: backend.makeMatrix(skew(1), rows: rows, columns: size), random: &random)
        if workspace.parameters[0].structure == .free {
            let old: [Double] = backend.download(point.parameters[0])
            backend.upload(old.map { $0 + random.uniform(in: -0.3...0.3) }, to: point.parameters[0])
        } else {
            backend.upload(skew(0.7), to: point.parameters[0])
        }
        let weight = try backend.allocate(rows: rows, columns: size)
        try workspace.computeWeight(at: point, into: weight)
        return (point, backend.download(weight))
    }

    /// Takes [A; S] as a complex matrix.
    private func complex(_ view: MatrixView, _ field: WeightField) -> Complex {
        let values: [Double] = backend.download(view), n = view.columns
        return field == .real
            ? Complex(rows: n, real: values)
            : Complex(rows: n, real: Array(values[..<(n * n)]), imaginary: Array(values[(n * n)...]))
    }

    /// `(I + B) W₀ = W H` with a positive definite H.
    @Test(arguments: WeightField.allCases) func polarIsTheNearest(field: WeightField) throws {
        let n = 5, (point, w) = try moved(RetractionUpdate(.polar), field, size: n)
        let h = factor(point, w, field, n)
        // Symmetric, and its diagonal is that of a positive definite matrix.
        #expect((h.adjoint).distance(to: h.real + h.imaginary) < 1e-12)
        for i in 0..<n { #expect(h.real[i * n + i] > 0) }
        #expect(h.real.indices.contains { $0 / n != $0 % n && h.real[$0].magnitude > 0.01 })
    }

    /// `(I + B) W₀ = W R` with an upper triangular R that has a positive real diagonal.
    @Test(arguments: WeightField.allCases) func qrIsTriangular(field: WeightField) throws {
        let n = 5, (point, w) = try moved(RetractionUpdate(.qr), field, size: n)
        let r = factor(point, w, field, n)
        for i in 0..<n {
            for j in 0..<i { #expect(r.real[i * n + j].magnitude + r.imaginary[i * n + j].magnitude < 1e-12) }
            #expect(r.real[i * n + i] > 0 && r.imaginary[i * n + i].magnitude < 1e-12)
        }
        #expect(r.real[1].magnitude > 0.01)
    }

    /// Returns `Wᴴ (I + B) W₀`.
    private func factor(_ point: ManifoldPoint, _ w: [Double], _ field: WeightField, _ n: Int) -> Complex {
        var step = complex(point.parameters[0], field)
        for i in 0..<n { step.real[i * n + i] += 1 }
        let weight =
            field == .real
            ? Complex(rows: n, real: w)
            : Complex(rows: n, real: Array(w[..<(n * n)]), imaginary: Array(w[(n * n)...]))
        return weight.adjoint * (step * complex(point.base[0], field))
    }

    /// `(I − B/2) W = (I + B/2) W₀`.
    @Test(arguments: WeightField.allCases) func cayleyIsWisdoms(field: WeightField) throws {
        let n = 4, (point, w) = try moved(RetractionUpdate(.cayley), field, size: n)
        func shifted(_ factor: Double) -> Complex {
            var result = complex(point.parameters[0], field)
            for i in 0..<n * n {
                result.real[i] = result.real[i] * factor + (i / n == i % n ? 1 : 0)
                result.imaginary[i] *= factor
            }
            return result
        }
        let weight =
            field == .real
            ? Complex(rows: n, real: w)
            : Complex(rows: n, real: Array(w[..<(n * n)]), imaginary: Array(w[(n * n)...]))
        let right = shifted(0.5) * complex(point.base[0], field)
        #expect((shifted(-0.5) * weight).distance(to: right.real + right.imaginary) < 1e-12)
    }

    @Test(arguments: [1, 2, 5, 9]) func reflectionsAreMultiplied(count: Int) throws {
        let n = 5, (point, w) = try moved(HouseholderUpdate(reflections: count), .real, size: n)
        let vectors: [Double] = backend.download(point.parameters[0])
        var product = Complex.diagonal([Double](repeating: 0, count: n))
        for row in 0..<count {
            let v = Array(vectors[row * n..<(row + 1) * n])
            product = product * Complex.reflection(v, v.map { $0 * 0 })
        }
        #expect(product.distance(to: w) < 1e-12)
        let weight = try backend.makeMatrix(w, rows: n, columns: n)
        #expect(try OrthogonalSpectrum.isRotation(weight, on: backend) == (count % 2 == 0))
    }

    /// `W = H(v₁) … H(v_k) D`, with rows vᴴ.
    @Test(arguments: [1, 2, 5, 9]) func complexReflectionsAreMultiplied(count: Int) throws {
        let n = 5, (point, w) = try moved(HouseholderUpdate(reflections: count), .complex, size: n)
        let rows: [Double] = backend.download(point.parameters[0])
        let angles = (1...n).map(Double.init)
        var product = Complex.diagonal([Double](repeating: 0, count: n))
        for row in 0..<count {
            let a = Array(rows[row * 2 * n..<row * 2 * n + n]),
                b = rows[row * 2 * n + n..<(row + 1) * 2 * n].map { -$0 }
            product = product * Complex.reflection(a, b)
        }
        let start: [Double] = backend.download(point.parameters[1])
        #expect((product * .diagonal(start)).distance(to: w) < 1e-12)
        backend.upload(angles, to: point.parameters[1])
        let weight = try backend.allocate(rows: 2 * n, columns: n)
        try HouseholderUpdate(reflections: count).makeUnitaryWorkspace(size: n, on: backend).computeWeight(
            at: point, into: weight)
        #expect((product * .diagonal(angles)).distance(to: backend.download(weight)) < 1e-12)
    }

    @Test(arguments: [2, 3, 7]) func factorsAreMultiplied(n: Int) throws {
        let (point, w) = try moved(ArjovskyUpdate(), .complex, size: n)
        let angles: [Double] = backend.download(point.parameters[0])
        let v: [Double] = backend.download(point.parameters[1])
        func diagonal(_ index: Int) -> Complex { .diagonal(Array(angles[index * n..<(index + 1) * n])) }
        func reflection(_ index: Int) -> Complex {
            .reflection(
                Array(v[2 * index * n..<(2 * index + 1) * n]), Array(v[(2 * index + 1) * n..<(2 * index + 2) * n]))
        }
        let turns = (0..<n * n).map { -2 * Double.pi * Double($0 / n) * Double($0 % n) / Double(n) }
        let scale = 1 / Double(n).squareRoot()
        let fourier = Complex(
            rows: n, real: turns.map { scale * RealFunctions.cos($0) },
            imaginary: turns.map { scale * RealFunctions.sin($0) })
        // The permutation isn't public; what is left of the equation when all else is divided off must be one.
        let left = diagonal(2) * reflection(1) * fourier.adjoint * diagonal(1)
        let right = reflection(0) * fourier * diagonal(0)
        let weight = Complex(rows: n, real: Array(w[..<(n * n)]), imaginary: Array(w[(n * n)...]))
        let rest = left.adjoint * weight * right.adjoint
        for i in 0..<n {
            let row = (0..<n).map { rest.real[i * n + $0] }, column = (0..<n).map { rest.real[$0 * n + i] }
            for line in [row, column] {
                #expect(line.count { ($0 - 1).magnitude < 1e-12 } == 1 && line.count { $0.magnitude < 1e-12 } == n - 1)
            }
        }
        #expect(rest.imaginary.allSatisfy { $0.magnitude < 1e-12 })
    }

    /// With p at ±∞ the singular values are at the ends of the margin, and at 0 all are 1.
    @Test(arguments: WeightField.allCases) func singularValuesFollowTheLogits(field: WeightField) throws {
        let n = 4, update = MarginUpdate(margin: 0.25)
        let workspace = try update.makeWorkspace(field, size: n, on: backend)
        let (point, _) = try moved(update, field, size: n)
        let weight = try backend.allocate(rows: field.rows(size: n), columns: n)
        for (logits, expected) in [([0, 0, 0, 0], 1...1), ([-60, 0, 1, 60], 0.75...1.25)] as [([Double], ClosedRange)] {
            backend.upload(logits, to: point.parameters[2])
            try workspace.computeWeight(at: point, into: weight)
            let range = try SingularValues.range(of: weight, on: backend)
            #expect(abs(range.lowerBound - expected.lowerBound) < 1e-12)
            #expect(abs(range.upperBound - expected.upperBound) < 1e-12)
        }
    }

    /// Training from a weight outside the margin is an error that names the distance.
    @Test func weightsOutsideTheMarginAreRefused() throws {
        let workspace = try MarginUpdate(margin: 0.1).makeWorkspace(size: 2, on: backend)
        let point = try ManifoldPoint(for: workspace, on: backend)
        let weight = try backend.makeMatrix([1.05, 0, 0, 0.75], rows: 2, columns: 2)
        let error = #expect(throws: RecurrentError.self) { try workspace.adopt(weight, into: point) }
        #expect(
            error?.description
                == "its singular values are up to 0.25 from 1, more than the `spectralMargin` 0.1; choose a larger one")
        let near = try backend.makeMatrix([0, 1.05, 0.92, 0], rows: 2, columns: 2)
        let found = try backend.allocate(rows: 2, columns: 2)
        try workspace.adopt(near, into: point)
        try workspace.computeWeight(at: point, into: found)
        let values: [Double] = backend.download(found)
        #expect(zip(values, [0, 1.05, 0.92, 0]).allSatisfy { ($0 - $1).magnitude < 1e-9 })
    }

    /// scoRNN's diagonal: ρ columns have the other sign.
    @Test(arguments: [0, 1, 3]) func theDiagonalTurnsColumns(negativeOnes: Int) throws {
        let n = 3, (point, w) = try moved(ScaledCayleyUpdate(negativeOnes: negativeOnes), .real, size: n)
        let plain = try backend.allocate(rows: n, columns: n)
        try CayleyUpdate().makeWorkspace(size: n, on: backend).computeWeight(
            at: ManifoldPoint(point.parameters[0]), into: plain)
        let expected: [Double] = backend.download(plain)
        #expect(w == expected.indices.map { $0 % n < negativeOnes ? -expected[$0] : expected[$0] })
    }

    /// The base moves at the first of every so many steps.
    @Test func theBaseMovesEveryFewSteps() throws {
        let workspace = try DynamicTrivializationUpdate(period: 3).makeWorkspace(size: 2, on: backend)
        let point = try ManifoldPoint(for: workspace, on: backend), weight = try backend.allocate(rows: 2, columns: 2)
        var random = RandomStream(RandomKey(seed: 1, purpose: .test))
        try workspace.initialize(point, skew: backend.makeMatrix([0, -1, 1, 0], rows: 2, columns: 2), random: &random)
        let moves = try (1...7).map { step in
            backend.upload([0, -0.5, 0.5, 0], to: point.parameters[0])
            try workspace.computeWeight(at: point, into: weight)
            try workspace.beginStep(step, at: point, weight: weight, gate: nil)
            return (backend.download(point.parameters[0]) as [Double])[1] == 0
        }
        #expect(moves == [true, false, false, true, false, false, true])
        // 1 radian at the start, and half of one for each move.
        let base: [Double] = backend.download(point.base[0])
        #expect((base[0] - RealFunctions.cos(2.5)).magnitude < 1e-14)
    }
}
