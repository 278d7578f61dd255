import RecurrentCore

/// Weights whose singular values stay within a margin m around 1: `W = U diag(s) Vᵀ` with
/// `s = 2m (sigmoid(p) − ½) + 1` (Vorontsov, Trabelsi, Kadoury & Pal 2017).
///
/// U and V are orthogonal, or unitary, by ``DynamicTrivializationUpdate``; p [1, n] is free. All gradients are exact. Training
/// starts at `U = exp(B₀)`, V = I, p = 0, so that W is orthogonal.
public struct MarginUpdate: ManifoldUpdate, Plugin {
    public static let name = "spectral-margin"
    public static let summary = "W = U diag(s) Vᵀ with singular values s in 1 ± a margin, exact gradient"
    /// The choice of the margin, and of how often the bases of U and V move.
    public struct Options: OptionSection {
        /// The margin m, in 0...1.
        public var margin = 0.1
        /// The number of steps after which the bases become the present U and V; 0 for never.
        public var period = 100
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("spectralMargin", \.margin, .within(0...1), "The largest distance of a singular value from 1."),
            .integer(
                "basePeriod", \.period, 0...1_000_000_000, "Steps after which W₀ becomes the present W; 0 for never."),
        ]
    }
    /// The margin m.
    public let margin: Double
    /// The number of steps after which the bases become the present U and V; nil for never.
    public let period: Int?
    public var traits: ManifoldTraits { ManifoldTraits(starts: .anywhere, spectralMargin: margin) }

    public init(options: Options) {
        self.init(margin: options.margin, period: options.period == 0 ? nil : options.period)
    }
    /// Creates the update.
    ///
    /// - Parameters:
    ///   - margin: the largest distance of a singular value from 1, in 0...1.
    ///   - period: the number of steps after which the bases become the present U and V; nil for never.
    public init(margin: Double = 0.1, period: Int? = 100) {
        precondition((0...1).contains(margin), "a margin lies in 0...1")
        (self.margin, self.period) = (margin, period)
    }

    public func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try MarginWorkspace(self, .real, size: size, on: backend)
    }
    public func makeUnitaryWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try MarginWorkspace(self, .complex, size: size, on: backend)
    }
}

final class MarginWorkspace: ManifoldWorkspace {
    let parameters: [ManifoldMatrix]
    let base: [ManifoldMatrix]
    private let size: Int, margin: Double, field: WeightField
    private let backend: any Backend
    /// The workspaces of U and V.
    private let sides: [any ManifoldWorkspace]
    /// U and V as they were computed last.
    private let factors: [MatrixView]
    private let sideGradients: [MatrixView]
    private let scaled: MatrixView, image: MatrixView, sums: MatrixView
    private let scale: any Kernel, overlap: any Kernel, slope: any Kernel

    init(_ update: MarginUpdate, _ field: WeightField, size n: Int, on backend: any Backend) throws {
        (size, margin, self.field, self.backend) = (n, update.margin, field, backend)
        let trivialization = DynamicTrivializationUpdate(period: update.period)
        sides = try (0..<2).map { _ in try trivialization.makeWorkspace(field, size: n, on: backend) }
        parameters =
            ["left", "right"].map { field == .real ? .skew($0, size: n) : .skewHermitian($0, size: n) }
            + [ManifoldMatrix("singular", rows: 1, columns: n)]
        let rows = field.rows(size: n)
        base = ["left-base", "right-base"].map { ManifoldMatrix($0, rows: rows, columns: n) }
        func matrix() throws -> MatrixView { try backend.allocate(rows: rows, columns: n) }
        factors = [try matrix(), try matrix()]
        sideGradients = [try matrix(), try matrix()]
        (scaled, image) = (try matrix(), try matrix())
        sums = try backend.allocate(rows: 1, columns: n)
        let m = SymbolicValue(margin)
        scale = try backend.compile(
            PointwiseProgram(inputs: 2) { x, _ in [x[0] * (1 + 2 * m * (sigmoid(x[1]) - 0.5))] })
        overlap = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [x[0] * x[1]] })
        slope = try backend.compile(
            PointwiseProgram(inputs: 2) { x, _ in [2 * m * x[0] * sigmoid(x[1]) * (1 - sigmoid(x[1]))] })
    }

    /// Returns the point of U or V.
    private func side(_ index: Int, _ point: ManifoldPoint) -> ManifoldPoint {
        ManifoldPoint(point.parameters[index], base: [point.base[index]])
    }

    /// The factor of a product that is transposed and conjugated.
    private enum Adjoint { case first, second }

    /// Computes `result ← a · b`.
    private func multiply(_ a: MatrixView, _ b: MatrixView, _ adjoint: Adjoint? = nil, into result: MatrixView) {
        let (left, right) = (FieldView(a, field), FieldView(b, field))
        FieldView.multiply(
            adjoint == .first ? left.adjoint : left, adjoint == .second ? right.adjoint : right,
            into: FieldView(result, field), on: backend)
    }

    /// Multiplies the columns by the singular values.
    private func scale(_ matrix: MatrixView, _ point: ManifoldPoint, into result: MatrixView) {
        let logits = point.parameters[2].broadcast(rows: matrix.rows, columns: size)
        backend.run(scale, inputs: [matrix, logits], outputs: [result])
    }

    func initialize(_ point: ManifoldPoint, skew: MatrixView, random: inout RandomStream) throws {
        try sides[0].initialize(side(0, point), skew: skew, random: &random)
        let zero = try backend.allocate(rows: skew.rows, columns: skew.columns)
        try sides[1].initialize(side(1, point), skew: zero, random: &random)
        backend.fill(point.parameters[2], with: 0)
    }

    func beginStep(_ step: Int, at point: ManifoldPoint, weight: MatrixView, gate: MatrixView?) throws {
        for index in 0..<2 {
            try sides[index].beginStep(step, at: side(index, point), weight: factors[index], gate: gate)
        }
    }

    func computeWeight(at point: ManifoldPoint, into weight: MatrixView) throws {
        for index in 0..<2 { try sides[index].computeWeight(at: side(index, point), into: factors[index]) }
        scale(factors[0], point, into: scaled)
        multiply(scaled, factors[1], .second, into: weight)
    }

    func parameterGradients(
        weightGradient: MatrixView, weight: MatrixView, at point: ManifoldPoint, into results: [MatrixView]
    ) throws {
        // ∂J/∂U = G V diag(s), ∂J/∂V = Gᴴ U diag(s), ∂J/∂s_j = Re(u_jᴴ G v_j)
        multiply(weightGradient, factors[1], into: image)
        scale(image, point, into: sideGradients[0])
        backend.run(overlap, inputs: [image, factors[0]], outputs: [scaled])
        backend.sumColumns(scaled, beta: 0, into: sums)
        backend.run(slope, inputs: [sums, point.parameters[2]], outputs: [results[2]])
        multiply(weightGradient, factors[0], .first, into: image)
        scale(image, point, into: sideGradients[1])
        for index in 0..<2 {
            try sides[index].parameterGradients(
                weightGradient: sideGradients[index], weight: factors[index], at: side(index, point),
                into: [results[index]])
        }
    }

    /// Takes U, s and V from the eigendecomposition of `WᴴW`, whose eigenvectors are V.
    func adopt(_ weight: MatrixView, into point: ManifoldPoint) throws {
        let n = size, rows = field.rows(size: n)
        let packed = try backend.allocate(rows: rows, columns: n), gram = try backend.allocate(rows: rows, columns: n)
        backend.copy(weight, to: packed)
        multiply(packed, packed, .first, into: gram)
        let imaginary = try field == .real ? backend.allocate(rows: n, columns: n) : gram.rows(n..<2 * n)
        let eigenvalues = try backend.allocate(rows: 1, columns: n)
        try backend.hermitianEigen(real: gram.rows(0..<n), imaginary: imaginary, eigenvalues: eigenvalues)
        let squares: [Double] = backend.download(eigenvalues)
        let values = squares.map { max($0, 0).squareRoot() }
        let reach = values.reduce(0) { $1.isFinite ? max($0, ($1 - 1).magnitude) : .infinity }
        guard reach <= margin + 1e-4 else {
            throw RecurrentError.linearAlgebra(
                "its singular values are up to \(Float(reach)) from 1, more than the `spectralMargin` \(margin); choose a larger one"
            )
        }
        multiply(packed, gram, into: scaled)
        let images: [Double] = backend.download(scaled)
        backend.upload(images.indices.map { images[$0] / values[$0 % n] }, to: scaled)
        try sides[0].adopt(scaled, into: side(0, point))
        try sides[1].adopt(gram, into: side(1, point))
        let logits = values.map { value -> Double in
            guard margin > 0 else { return 0 }
            let share = max(-1 + 1e-6, min(1 - 1e-6, (value - 1) / margin))
            return RealFunctions.log((1 + share) / (1 - share))
        }
        backend.upload(logits, to: point.parameters[2])
    }
}
