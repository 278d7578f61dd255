/// Measures the Euclidean norm of a whole gradient and clips it (Pascanu, Mikolov &
/// Bengio 2013; torch.nn.utils.clip_grad_norm_), without leaving the backend.
final class GradientNorm {
    /// Added to the norm before dividing by it, as torch does.
    private static let epsilon = 1e-6
    /// The size of a piece, chosen so that its squares stay in the caches.
    private static let width = 4096, pieceRows = 256

    private let backend: any Backend
    private let gradient: MatrixView
    private let pieces: [MatrixView]
    private let squares: MatrixView
    /// One partial sum per row of a piece.
    private let partials: MatrixView
    private let total: MatrixView
    private let square: any Kernel
    private let scale: any Kernel

    /// Compiles the kernels.
    ///
    /// - Parameter gradient: the gradient to measure, [1, n], packed.
    init(_ gradient: MatrixView, on backend: any Backend) throws {
        self.backend = backend
        self.gradient = gradient
        let whole = gradient.count / Self.width
        var pieces = stride(from: 0, to: whole, by: Self.pieceRows).map { row in
            let rows = min(Self.pieceRows, whole - row)
            return gradient.columns(row * Self.width..<(row + rows) * Self.width).reshaped(
                rows: rows, columns: Self.width)
        }
        if whole * Self.width < gradient.count { pieces.append(gradient.columns(whole * Self.width..<gradient.count)) }
        self.pieces = pieces
        squares = try backend.allocate(rows: Self.pieceRows, columns: Self.width)
        partials = try backend.allocate(rows: pieces.reduce(0) { $0 + $1.rows }, columns: 1)
        total = try backend.allocate(rows: 1, columns: 1)
        square = try backend.compile(PointwiseProgram(inputs: 1) { input, _ in [input[0] * input[0]] })
        scale = try backend.compile(
            PointwiseProgram(inputs: 2, scalars: 1) { input, bound in
                [input[0] * min(1, bound[0] / (sqrt(input[1]) + SymbolicValue(Self.epsilon)))]
            })
    }

    /// Measures the gradient as it is now.
    func measure() {
        var row = 0
        for piece in pieces {
            let view = MatrixView(squares.memory, rows: piece.rows, columns: piece.columns)
            backend.run(square, inputs: [piece], outputs: [view])
            backend.reduceRows(.sum, view, into: partials.rows(row..<row + piece.rows))
            row += piece.rows
        }
        backend.reduceRows(.sum, partials.reshaped(rows: 1, columns: partials.count), into: total)
    }

    /// Scales the gradient, whose norm was just measured, to a norm of at most `bound`.
    func clip(to bound: Double) {
        let scalar = MatrixView(total.memory, rows: 1, columns: gradient.columns, rowStride: 0, columnStride: 0)
        backend.run(scale, inputs: [gradient, scalar], outputs: [gradient], scalars: [bound])
    }

    /// The norm that was measured last; reading it waits for the backend.
    var value: Double { backend.download(total, as: Double.self)[0].squareRoot() }
}
