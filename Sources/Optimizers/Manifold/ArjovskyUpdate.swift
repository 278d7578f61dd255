import RecurrentCore

/// The factors of the unitary evolution RNN, `W = D₃ R₂ F⁻¹ D₂ Π R₁ F D₁`, for complex weights (Arjovsky, Shah & Bengio
/// 2016), with exact gradients.
///
/// D are diagonals of phases exp(iθ), R complex reflections `I − 2 v vᴴ / ‖v‖²`, F the unitary discrete Fourier transform, and Π
/// a fixed permutation, which depends on n only. Their 7n parameters reach a part of all unitary matrices. Training starts as in
/// the paper, with angles uniform in ±π and the parts of v uniform in ±1, whatever the initialization of B is.
public struct ArjovskyUpdate: ManifoldUpdate, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "arjovsky-factors"
    public static let summary = "W = D₃ R₂ F⁻¹ D₂ Π R₁ F D₁ for complex weights, from random factors (uRNN of 2016)"
    public var traits: ManifoldTraits {
        ManifoldTraits(fields: [.complex], starts: .nowhere, startsFromSkew: false)
    }

    /// Throws, as a real weight has no such factors; ``ManifoldUpdate/makeWorkspace(_:size:on:)`` says so first.
    public func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        throw RecurrentError.invalidOption(
            "`manifold` \(name) keeps complex weights unitary; choose a complex cell or another `manifold`")
    }
    public func makeUnitaryWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try ArjovskyWorkspace(size: size, on: backend)
    }
}

final class ArjovskyWorkspace: ManifoldWorkspace {
    /// The angles of D₁, D₂ and D₃, and the real and the imaginary parts of the vectors of R₁ and R₂.
    let parameters: [ManifoldMatrix]
    private let size: Int
    private let backend: any Backend
    private let fourier: ComplexView
    private let permutation: any IndexMemory, inverse: any IndexMemory
    /// The cosines and the sines of the angles, [6, n].
    private let phases: MatrixView
    /// The product after each factor from the right: D₁, R₁, Π, D₂, F⁻¹, R₂.
    private let products: [MatrixView]
    private let gradients: [MatrixView]
    private let reflection: ComplexReflection
    private let phaseDiagonal: PhaseDiagonal

    init(size n: Int, on backend: any Backend) throws {
        (size, self.backend) = (n, backend)
        parameters = [
            ManifoldMatrix("angles", rows: 3, columns: n), ManifoldMatrix("reflections", rows: 4, columns: n),
        ]
        func matrix() throws -> MatrixView { try backend.allocate(rows: 2 * n, columns: n) }
        let scale = 1 / Double(n).squareRoot()
        let turns = (0..<n * n).map { -2 * Double.pi * Double($0 / n * ($0 % n) % n) / Double(n) }
        fourier = ComplexView(
            try backend.makeMatrix(
                turns.map { scale * RealFunctions.cos($0) } + turns.map { scale * RealFunctions.sin($0) },
                rows: 2 * n, columns: n))
        var random = RandomStream(RandomKey(seed: 2016, purpose: .initialization, stream: n))
        let order = (0..<Int32(n)).shuffled(using: &random)
        permutation = try backend.makeIndices(order)
        inverse = try backend.makeIndices((0..<Int32(n)).sorted { order[Int($0)] < order[Int($1)] })
        phases = try backend.allocate(rows: 6, columns: n)
        products = try (0..<6).map { _ in try matrix() }
        gradients = [try matrix(), try matrix()]
        reflection = try ComplexReflection(size: n, on: backend)
        phaseDiagonal = try PhaseDiagonal(on: backend)
    }

    func initialize(_ point: ManifoldPoint, skew: MatrixView, random: inout RandomStream) throws {
        backend.upload((0..<3 * size).map { _ in random.uniform(in: -.pi...(.pi)) }, to: point.parameters[0])
        backend.upload((0..<4 * size).map { _ in random.uniform(in: -1...1) }, to: point.parameters[1])
    }

    func adopt(_ weight: MatrixView, into point: ManifoldPoint) throws {
        throw RecurrentError.linearAlgebra(
            "the factors of a given weight aren't known; choose another `manifold`, such as dynamic-trivialization")
    }

    /// Multiplies the rows, or the columns if it is the first diagonal, by the phases of a diagonal.
    private func diagonal(_ index: Int, _ matrix: MatrixView, conjugate: Bool = false, into result: MatrixView) {
        let parts = [phases.rows(index..<index + 1), phases.rows(3 + index..<4 + index)].map { row in
            (index == 0 ? row : row.transposed).broadcast(rows: size, columns: size)
        }
        phaseDiagonal(matrix, parts, conjugate: conjugate, into: result)
    }

    private func permute(_ matrix: MatrixView, _ indices: any IndexMemory, into result: MatrixView) {
        let n = size
        for part in [0..<n, n..<2 * n] { backend.gatherRows(matrix.rows(part), indices, into: result.rows(part)) }
    }

    /// Returns the vector of a reflection, [2, n].
    private func vector(_ index: Int, _ point: ManifoldPoint) -> MatrixView {
        point.parameters[1].rows(2 * index..<2 * index + 2)
    }

    func computeWeight(at point: ManifoldPoint, into weight: MatrixView) throws {
        let angles: [Double] = backend.download(point.parameters[0])
        let vectors: [Double] = backend.download(point.parameters[1])
        guard angles.allSatisfy(\.isFinite), vectors.allSatisfy(\.isFinite) else {
            throw RecurrentError.linearAlgebra("the factors are no longer finite; try a lower learning rate")
        }
        backend.upload(angles.map(RealFunctions.cos) + angles.map(RealFunctions.sin), to: phases)
        let x = products
        // F D₁
        backend.copy(fourier.real, to: ComplexView(x[5]).real)
        backend.copy(fourier.imaginary, to: ComplexView(x[5]).imaginary)
        diagonal(0, x[5], into: x[0])
        reflection(vector(0, point), x[0], into: x[1])
        permute(x[1], permutation, into: x[2])
        diagonal(1, x[2], into: x[3])
        ComplexView.multiply(fourier.adjoint, ComplexView(x[3]), into: ComplexView(x[4]), on: backend)
        reflection(vector(1, point), x[4], into: x[5])
        diagonal(2, x[5], into: weight)
    }

    /// Adds up what turning the rows, or the columns, of a product by small angles does to the loss.
    private func angleGradient(_ gradient: MatrixView, _ product: MatrixView, scratch: MatrixView) -> MatrixView {
        let result = scratch.rows(0..<size)
        phaseDiagonal.slopes(gradient, product, into: result)
        return result
    }

    func parameterGradients(
        weightGradient: MatrixView, weight: MatrixView, at point: ManifoldPoint, into results: [MatrixView]
    ) throws {
        let (angles, vectors) = (results[0], results[1]), x = products
        let (g, h) = (gradients[0], gradients[1])
        func column(_ index: Int) -> MatrixView { angles.rows(index..<index + 1).reshaped(rows: size, columns: 1) }
        // From the left to the right; g and h take turns, and the other one is scratch memory.
        backend.reduceRows(.sum, angleGradient(weightGradient, weight, scratch: h), into: column(2))
        diagonal(2, weightGradient, conjugate: true, into: g)
        try reflection.gradient(vector(1, point), x[4], g, into: vectors.rows(2..<4))
        reflection(vector(1, point), g, into: h)
        ComplexView.multiply(fourier, ComplexView(h), into: ComplexView(g), on: backend)
        backend.reduceRows(.sum, angleGradient(g, x[3], scratch: h), into: column(1))
        diagonal(1, g, conjugate: true, into: h)
        permute(h, inverse, into: g)
        try reflection.gradient(vector(0, point), x[0], g, into: vectors.rows(0..<2))
        reflection(vector(0, point), g, into: h)
        backend.sumColumns(angleGradient(h, x[0], scratch: g), beta: 0, into: angles.rows(0..<1))
    }
}
