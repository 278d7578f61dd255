import RecurrentCore

/// The product `P = H(v₁) … H(v_k)` of reflections `H(v) = I − 2 v vᴴ / ‖v‖²` with real or complex vectors, and its
/// gradient.
///
/// It is computed at once, as `I − Uᴴ M⁻¹ U`, where U are the normalized rows vᴴ, and M the upper triangle of `U Uᴴ` with half
/// its diagonal (Joffrain, Low, Quintana-Ortí, van de Geijn & Van Zee 2006): products and one linear solve.
///
/// A complex system is solved as the real one of [[A, −S], [S, A]], for which [A; S] is the right-hand side.
final class ReflectionProduct {
    private let field: WeightField, size: Int, count: Int
    /// The number of elements in a row of the vectors.
    private let width: Int
    private let backend: any Backend
    private let identity: MatrixView, mask: MatrixView
    /// The normalized rows U [k, width], and the lengths of the vectors [k, 1].
    private let units: MatrixView, lengths: MatrixView, overlaps: MatrixView
    /// M, or its adjoint, and what a solve makes of U: `M⁻¹ U` and `M⁻ᴴ U`.
    private let triangle: MatrixView, solved: MatrixView, adjointSolved: MatrixView
    private let gram: MatrixView, inner: MatrixView, symmetric: MatrixView, wide: MatrixView
    private let root: any Kernel, divide: any Kernel, multiply: any Kernel, scale: any Kernel
    private let symmetrize: any Kernel, subtract: any Kernel, project: any Kernel

    /// Creates a product of k reflections of n dimensions.
    init(_ field: WeightField, size n: Int, count k: Int, on backend: any Backend) throws {
        (self.field, size, count, self.backend) = (field, n, k, backend)
        width = field.rows(size: n)
        func matrix(_ rows: Int, _ columns: Int) throws -> MatrixView {
            try backend.allocate(rows: rows, columns: columns)
        }
        let height = field.rows(size: k)
        identity = try backend.makeMatrix(
            (0..<width * n).map { $0 / n == $0 % n ? Float(1) : 0 }, rows: width, columns: n)
        mask = try backend.makeMatrix(
            (0..<k * k).map { place -> Float in
                let (i, j) = (place / k, place % k)
                return i == j ? 0.5 : i < j ? 1 : 0
            }, rows: k, columns: k)
        (units, lengths, overlaps) = (try matrix(k, width), try matrix(k, 1), try matrix(k, 1))
        (solved, adjointSolved, wide) = (try matrix(height, n), try matrix(height, n), try matrix(height, n))
        (gram, inner, symmetric) = (try matrix(height, k), try matrix(height, k), try matrix(height, k))
        triangle = try matrix(height, height)
        func kernel(_ inputs: Int, _ equation: ([SymbolicValue]) -> SymbolicValue) throws -> any Kernel {
            try backend.compile(PointwiseProgram(inputs: inputs) { x, _ in [equation(x)] })
        }
        root = try kernel(1) { sqrt($0[0]) }
        divide = try kernel(2) { $0[0] / $0[1] }
        multiply = try kernel(2) { $0[0] * $0[1] }
        subtract = try kernel(2) { $0[0] - $0[1] }
        // The part across u of a gradient with respect to u, divided by the length of v.
        project = try kernel(4) { ($0[0] - $0[1] * $0[2]) / $0[3] }
        scale = try backend.compile(PointwiseProgram(inputs: 2, scalars: 1) { x, sign in [sign[0] * x[0] * x[1]] })
        symmetrize = try backend.compile(
            PointwiseProgram(inputs: 4, scalars: 1) { x, sign in [x[0] * x[2] + sign[0] * x[1] * x[3]] })
    }

    /// Takes a stacked matrix as one of the field's numbers.
    private func view(_ matrix: MatrixView) -> FieldView { FieldView(matrix, field) }
    private var unitRows: FieldView { FieldView(sideBySide: units, field) }
    private func across(_ column: MatrixView) -> MatrixView { column.broadcast(rows: count, columns: width) }

    private func product(
        _ a: FieldView, _ b: FieldView, alpha: Double = 1, beta: Double = 0, into result: FieldView
    ) {
        FieldView.multiply(a, b, alpha: alpha, beta: beta, into: result, on: backend)
    }

    /// Computes the product P.
    ///
    /// - Parameters:
    ///   - vectors: the vectors as rows vᴴ: [k, n], or [k, 2n] with their real and then their imaginary parts; packed.
    ///   - result: where P is written, [n, n] or stacked as [2n, n].
    /// - Throws: ``RecurrentCore/RecurrentError/linearAlgebra(_:)`` if a vector is zero or not finite.
    func callAsFunction(_ vectors: MatrixView, into result: MatrixView) throws {
        try normalize(vectors)
        try solve(mask, into: solved)
        backend.copy(identity, to: result)
        product(unitRows.adjoint, view(solved), alpha: -1, beta: 1, into: view(result))
    }

    /// Computes U, the lengths and `U Uᴴ`.
    private func normalize(_ vectors: MatrixView) throws {
        let squares = wide.reshaped(rows: count, columns: width)
        backend.run(multiply, inputs: [vectors, vectors], outputs: [squares])
        backend.reduceRows(.sum, squares, into: lengths)
        let sums: [Double] = backend.download(lengths)
        guard sums.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw RecurrentError.linearAlgebra(
                "a reflection's vector is zero or no longer finite; try a lower learning rate")
        }
        backend.run(root, inputs: [lengths], outputs: [lengths])
        backend.run(divide, inputs: [vectors, across(lengths)], outputs: [units])
        product(unitRows, unitRows.adjoint, into: view(gram))
    }

    /// Computes `M⁻¹ U`, or `M⁻ᴴ U` with the transposed mask.
    private func solve(_ mask: MatrixView, into result: MatrixView) throws {
        for (number, part) in view(gram).parts.enumerated() {
            // The real part is in the blocks of the diagonal, −S above it and S below it.
            for row in 0..<(field == .real ? 1 : 2) {
                let column = (row + number) % 2
                let block = triangle.rows(row * count..<(row + 1) * count).columns(
                    column * count..<(column + 1) * count)
                backend.run(scale, inputs: [part, mask], outputs: [block], scalars: [column > row ? -1 : 1])
            }
        }
        for (part, target) in zip(unitRows.parts, view(result).parts) { backend.copy(part, to: target) }
        try backend.solve(triangle, result)
    }

    /// Computes the gradient of the vectors that the last product was made of.
    ///
    /// - Parameters:
    ///   - gradient: the gradient G of P, [n, n] or stacked as [2n, n]; it may have a row stride.
    ///   - result: where the gradient is written, in the shape of the vectors, packed.
    /// - Throws: what the backend throws.
    func gradient(_ gradient: MatrixView, into result: MatrixView) throws {
        try solve(mask.transposed, into: adjointSolved)
        // With Z = M⁻¹ U and X = M⁻ᴴ U: ∂J/∂U = −Z Gᴴ − X G + (Q + Qᴴ) U, where Q is X G Zᴴ with the mask of M.
        product(view(adjointSolved), view(gradient), into: view(wide))
        product(view(wide), view(solved).adjoint, into: view(inner))
        for (number, parts) in zip(view(inner).parts, view(symmetric).parts).enumerated() {
            backend.run(
                symmetrize, inputs: [parts.0, parts.0.transposed, mask, mask.transposed], outputs: [parts.1],
                scalars: [number == 0 ? 1 : -1])
        }
        let rows = FieldView(sideBySide: result, field)
        product(view(symmetric), unitRows, into: rows)
        product(view(solved), view(gradient).adjoint, alpha: -1, beta: 1, into: rows)
        for (part, other) in zip(rows.parts, view(wide).parts) {
            backend.run(subtract, inputs: [part, other], outputs: [part])
        }
        let overlap = wide.reshaped(rows: count, columns: width)
        backend.run(multiply, inputs: [result, units], outputs: [overlap])
        backend.reduceRows(.sum, overlap, into: overlaps)
        backend.run(project, inputs: [result, units, across(overlaps), across(lengths)], outputs: [result])
    }
}
