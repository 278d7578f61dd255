/// Measures the Euclidean norm of a whole gradient and clips it (Pascanu, Mikolov &
/// Bengio 2013; torch.nn.utils.clip_grad_norm_), without leaving the backend.
///
/// The square of a number above 1.8e19 overflows in Float, and a gradient divided by an infinite
/// norm is zero: training would stand still. So large numbers have a sum of their own, in which
/// they are scaled down (Blue 1978). A gradient that isn't finite becomes NaN, and the run diverges.
final class GradientNorm {
    /// Added to the norm before dividing by it, as torch does.
    private static let epsilon = 1e-6
    /// The size of a piece, chosen so that its squares stay in the caches.
    private static let width = 4096, pieceRows = 256
    /// Above the threshold, numbers are multiplied by the scale before they are squared.
    private static let threshold = 0x1p32, scale = 0x1p-80

    private let backend: any Backend
    private let gradient: MatrixView
    private let pieces: [MatrixView]
    /// The squares of a piece; after each of its rows, the scaled squares of its large numbers.
    private let squares: MatrixView
    /// The sums of the rows of ``squares`` of all pieces.
    private let partials: MatrixView
    /// The sum of the squares, and that of the scaled squares of large numbers.
    private let totals: MatrixView
    private let square: any Kernel
    private let clip: any Kernel

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
        squares = try backend.allocate(rows: 2 * Self.pieceRows, columns: Self.width)
        partials = try backend.allocate(rows: pieces.reduce(0) { $0 + 2 * $1.rows }, columns: 1)
        totals = try backend.allocate(rows: 2, columns: 1)
        square = try backend.compile(
            PointwiseProgram(inputs: 1) { input, _ in
                let isLarge = abs(input[0]) > SymbolicValue(Self.threshold)
                let scaled = input[0] * SymbolicValue(Self.scale)
                return [select(isLarge, 0, input[0] * input[0]), select(isLarge, scaled * scaled, 0)]
            })
        clip = try backend.compile(
            PointwiseProgram(inputs: 3, scalars: 1) { input, bound in
                let scale = SymbolicValue(Self.scale)
                let usual = input[0] * min(1, bound[0] / (sqrt(input[1]) + SymbolicValue(Self.epsilon)))
                let norm = sqrt(input[2] + input[1] * scale * scale)
                let huge = input[0] * scale * min(SymbolicValue(1 / Self.scale), bound[0] / norm)
                return [select(input[2] > 0, huge, usual)]
            })
    }

    /// Measures the gradient as it is now.
    func measure() {
        var row = 0
        for piece in pieces {
            let (rows, columns) = (piece.rows, piece.columns)
            let views = [0, columns].map {
                MatrixView(squares.memory, offset: $0, rows: rows, columns: columns, rowStride: 2 * columns)
            }
            backend.run(square, inputs: [piece], outputs: views)
            backend.reduceRows(
                .sum, MatrixView(squares.memory, rows: 2 * rows, columns: columns),
                into: partials.rows(row..<row + 2 * rows))
            row += 2 * rows
        }
        backend.reduceRows(
            .sum, MatrixView(partials.memory, rows: 2, columns: row / 2, rowStride: 1, columnStride: 2), into: totals)
    }

    /// Scales the gradient, whose norm was just measured, to a norm of at most `bound`.
    func clip(to bound: Double) {
        let sums = [0, 1].map {
            MatrixView(
                totals.memory, offset: $0, rows: 1, columns: gradient.columns, rowStride: 0, columnStride: 0)
        }
        backend.run(clip, inputs: [gradient] + sums, outputs: [gradient], scalars: [bound])
    }

    /// The norm that was measured last; reading it waits for the backend.
    var value: Double {
        let sums = backend.download(totals, as: Double.self)
        return (sums[0] + sums[1] / (Self.scale * Self.scale)).squareRoot()
    }
}
