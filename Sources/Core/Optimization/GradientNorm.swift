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
    static let width = 4096
    private static let pieceRows = 256
    /// Above the threshold, numbers are multiplied by the scale before they are squared.
    private static let threshold = 0x1p32, scale = 0x1p-80

    private let backend: any Backend
    /// The ranges of the gradient that this process measures and clips.
    private let own: [MatrixView]
    private let pieces: [(view: MatrixView, row: Int)]
    /// The squares of a piece; after each of its rows, the scaled squares of its large numbers.
    private let squares: MatrixView
    /// The sums of the rows of ``squares`` of all pieces.
    private let partials: MatrixView
    /// The sum of the squares, and that of the scaled squares of large numbers.
    private let totals: MatrixView
    private let square: any Kernel
    private let clip: any Kernel
    /// Gives every rank the sums of the rows that others have measured; nil for one process.
    private var sharing: (exchange: any Exchange, mirror: HostMirror, own: [Range<Int>], others: [Range<Int>])?

    /// Compiles the kernels, for a gradient whose parts belong to several ranks.
    ///
    /// - Parameters:
    ///   - gradient: the gradient, [1, n], packed.
    ///   - parts: the ranges that are cut into rows, by whose sums the norm has the same bits at any number of ranks.
    ///   - owned: the ranges that each rank measures, which begin and end between two rows.
    init(
        _ gradient: MatrixView, parts: [Range<Int>], owned: [[Range<Int>]], _ communicator: any Communicator,
        on backend: any Backend
    ) throws {
        self.backend = backend
        own = owned[communicator.rank].map(gradient.columns)
        /// Returns the pieces of ranges, each with the number of its first row.
        func pieces(_ ranges: [Range<Int>]) -> [(view: MatrixView, row: Int)] {
            var row = 0, result: [(view: MatrixView, row: Int)] = []
            for part in parts {
                for range in ranges.clamped(to: part) {
                    result += Self.pieces(gradient, range).map { view, first in
                        (view, row + (range.lowerBound - part.lowerBound) / Self.width + first)
                    }
                }
                row += (part.count + Self.width - 1) / Self.width
            }
            return result
        }
        self.pieces = pieces(owned[communicator.rank])
        squares = try backend.allocate(rows: 2 * Self.pieceRows, columns: Self.width)
        let rows = parts.reduce(0) { $0 + ($1.count + Self.width - 1) / Self.width }
        partials = try backend.allocate(rows: 2 * rows, columns: 1)
        totals = try backend.allocate(rows: 2, columns: 1)
        if communicator.size > 1 {
            let mirror = HostMirror(partials.reshaped(rows: 1, columns: partials.count), on: backend)
            let rows = owned.map { pieces($0).map { 2 * $0.row..<2 * ($0.row + $0.view.rows) } }
            let own = rows[communicator.rank]
            let exchange = try communicator.makeExchange(
                sent: rows.map { _ in own.map { UnsafeRawBufferPointer(mirror.place($0)) } },
                received: rows.map { $0.map(mirror.place) })
            let others = rows.indices.filter { $0 != communicator.rank }.flatMap { rows[$0] }
            sharing = (exchange, mirror, own, others)
        }
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

    /// Returns a range of the gradient in pieces of whole rows and a rest, each with the number of its first row.
    private static func pieces(_ gradient: MatrixView, _ range: Range<Int>) -> [(view: MatrixView, row: Int)] {
        let part = gradient.columns(range), whole = part.count / width
        var pieces = stride(from: 0, to: whole, by: pieceRows).map { row in
            let rows = min(pieceRows, whole - row)
            return (
                part.columns(row * width..<(row + rows) * width).reshaped(rows: rows, columns: width), row
            )
        }
        if whole * width < part.count { pieces.append((part.columns(whole * width..<part.count), whole)) }
        return pieces
    }

    /// Measures the gradient as it is now.
    ///
    /// - Throws: what the communicator throws.
    func measure() throws {
        for (piece, row) in pieces {
            let (rows, columns) = (piece.rows, piece.columns)
            let views = [0, columns].map {
                MatrixView(squares.memory, offset: $0, rows: rows, columns: columns, rowStride: 2 * columns)
            }
            backend.run(square, inputs: [piece], outputs: views)
            backend.reduceRows(
                .sum, MatrixView(squares.memory, rows: 2 * rows, columns: columns),
                into: partials.rows(2 * row..<2 * (row + rows)))
        }
        if let (exchange, mirror, own, others) = sharing {
            mirror.download(own)
            try exchange.run()
            mirror.upload(others)
        }
        backend.reduceRows(
            .sum, MatrixView(partials.memory, rows: 2, columns: partials.rows / 2, rowStride: 1, columnStride: 2),
            into: totals)
    }

    /// Scales the own part of the gradient, whose norm was just measured, to a norm of at most `bound`.
    func clip(to bound: Double) {
        for gradient in own {
            let sums = [0, 1].map {
                MatrixView(
                    totals.memory, offset: $0, rows: 1, columns: gradient.columns, rowStride: 0, columnStride: 0)
            }
            backend.run(clip, inputs: [gradient] + sums, outputs: [gradient], scalars: [bound])
        }
    }

    /// The norm that was measured last; reading it waits for the backend.
    var value: Double {
        let sums = backend.download(totals, as: Double.self)
        return (sums[0] + sums[1] / (Self.scale * Self.scale)).squareRoot()
    }
}
