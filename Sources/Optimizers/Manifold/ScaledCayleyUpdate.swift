import RecurrentCore

/// The Cayley transform with a diagonal of signs, `W = (I − B/2)⁻¹ (I + B/2) D`, with its exact gradient (Helfrich, Willmott
/// & Ye 2018, “scoRNN”, with A = −B/2).
///
/// D has ρ elements −1, which don't change in training, so W keeps the determinant (−1)^ρ. For every orthogonal W there is
/// a D with which B exists (Kahan 2006), so that angles of π and reflections can be reached; training from a given weight
/// chooses that D.
public struct ScaledCayleyUpdate: ManifoldUpdate, Plugin {
    public static let name = "scaled-cayley"
    public static let summary = "W = (I − B/2)⁻¹ (I + B/2) D with a diagonal D of signs and its exact gradient (scoRNN)"
    /// The choice of the diagonal.
    public struct Options: OptionSection {
        /// The number ρ of negative ones on the diagonal of D, of the first units; at most n.
        public var negativeOnes = 0
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .integer(
                "negativeOnes", \.negativeOnes, 0...1_000_000,
                "Number of elements −1 on the diagonal D at a start from B."
            ).needing(.freshWeights)
        ]
    }
    /// The number ρ of negative ones on the diagonal of D.
    public let negativeOnes: Int
    public var traits: ManifoldTraits { ManifoldTraits(starts: .anywhere) }

    public init(options: Options) { self.init(negativeOnes: options.negativeOnes) }
    /// Creates the update.
    ///
    /// - Parameter negativeOnes: the number of elements −1 on the diagonal of D, at least 0.
    public init(negativeOnes: Int = 0) {
        precondition(negativeOnes >= 0, "a number of elements can't be negative")
        self.negativeOnes = negativeOnes
    }

    public func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try checkSigns(size)
        return try Workspace(size: size, units: size, negativeOnes: negativeOnes, on: backend)
    }
    public func makeUnitaryWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try checkSigns(size)
        return try UnitaryEmbedding(
            Workspace(size: 2 * size, units: size, negativeOnes: negativeOnes, on: backend), size: size, on: backend)
    }

    private func checkSigns(_ size: Int) throws {
        guard negativeOnes <= size else {
            throw RecurrentError.invalidOption(
                "`negativeOnes` must be at most \(size), the number of units, not \(negativeOnes)")
        }
    }

    private final class Workspace: ManifoldWorkspace {
        let parameters: [ManifoldMatrix]
        let base: [ManifoldMatrix]
        private let size: Int, units: Int, negativeOnes: Int
        private let backend: any Backend
        private let cayley: CayleyUpdate.Workspace
        private let scaled: MatrixView, scaledGradient: MatrixView
        private let multiply: any Kernel

        /// Creates a workspace for matrices [size, size], whose columns j and j + `units` have the same sign.
        init(size: Int, units: Int, negativeOnes: Int, on backend: any Backend) throws {
            (self.size, self.units, self.negativeOnes, self.backend) = (size, units, negativeOnes, backend)
            parameters = [.skew(size: size)]
            base = [ManifoldMatrix("signs", rows: size, columns: size)]
            cayley = try CayleyUpdate.Workspace(size: size, on: backend)
            scaled = try backend.allocate(rows: size, columns: size)
            scaledGradient = try backend.allocate(rows: size, columns: size)
            multiply = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [x[0] * x[1]] })
        }

        /// Multiplies columns by the signs, which the diagonal of D holds.
        private func scale(_ matrix: MatrixView, _ signs: MatrixView, into result: MatrixView) {
            let diagonal = MatrixView(
                signs.memory, offset: signs.offset, rows: size, columns: size, rowStride: 0, columnStride: size + 1)
            backend.run(multiply, inputs: [matrix, diagonal], outputs: [result])
        }

        private func setSigns(_ point: ManifoldPoint, _ isNegative: (Int) -> Bool) {
            backend.upload(
                (0..<size * size).map { place -> Double in
                    place / size != place % size ? 0 : isNegative(place % size % units) ? -1 : 1
                }, to: point.base[0])
        }

        func initialize(_ point: ManifoldPoint, skew: MatrixView, random: inout RandomStream) throws {
            backend.copy(skew, to: point.parameters[0])
            setSigns(point) { $0 < negativeOnes }
        }

        func adopt(_ weight: MatrixView, into point: ManifoldPoint) throws {
            backend.copy(weight, to: scaled)
            let values: [Double] = backend.download(scaled)
            guard values.allSatisfy(\.isFinite) else {
                throw RecurrentError.linearAlgebra("the weight holds numbers that aren't finite")
            }
            let signs = SignedDiagonal.signs(values, size: size, units: units)
            setSigns(point) { signs[$0] < 0 }
            scale(weight, point.base[0], into: scaled)
            try cayley.computeParameter(from: scaled, into: point.parameters[0])
        }

        func computeWeight(at point: ManifoldPoint, into weight: MatrixView) throws {
            try cayley.computeWeight(from: point.parameters[0], into: scaled)
            scale(scaled, point.base[0], into: weight)
        }

        func parameterGradients(
            weightGradient: MatrixView, weight: MatrixView, at point: ManifoldPoint, into results: [MatrixView]
        ) throws {
            scale(weight, point.base[0], into: scaled)
            scale(weightGradient, point.base[0], into: scaledGradient)
            try cayley.parameterGradient(
                weightGradient: scaledGradient, weight: scaled, parameter: point.parameters[0], into: results[0])
        }
    }
}

/// The choice of a diagonal D of signs with which `W D` is far from the eigenvalue −1.
private enum SignedDiagonal {
    /// Returns a sign for each unit such that `W + D`, and with it `W D + I`, can be inverted.
    ///
    /// It eliminates column after column of `W + D` without pivoting, and gives each element of D the sign of the real part
    /// of what it is added to, so that no pivot is smaller than 1 (O'Dorney 2014).
    ///
    /// - Parameters:
    ///   - values: W [size, size], row by row: real if there are as many units, otherwise [[A, −S], [S, A]].
    static func signs(_ values: [Double], size: Int, units n: Int) -> [Double] {
        let isComplex = size != n
        var real = (0..<n * n).map { values[$0 / n * size + $0 % n] }
        var imaginary = (0..<n * n).map { isComplex ? values[($0 / n + n) * size + $0 % n] : 0 }
        return (0..<n).map { k in
            let sign: Double = real[k * n + k] < 0 ? -1 : 1
            let (a, b) = (real[k * n + k] + sign, imaginary[k * n + k])
            let square = a * a + b * b
            for r in k + 1..<max(n, k + 1) {
                let (x, y) = (real[r * n + k], imaginary[r * n + k])
                let (p, q) = ((x * a + y * b) / square, (y * a - x * b) / square)
                for c in k + 1..<n {
                    let (u, v) = (real[k * n + c], imaginary[k * n + c])
                    real[r * n + c] -= p * u - q * v
                    imaginary[r * n + c] -= p * v + q * u
                }
            }
            return sign
        }
    }
}
