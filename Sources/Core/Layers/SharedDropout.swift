/// Dropout whose mask is drawn once and used in several places: for all steps of
/// a sequence, for all places of a word, for all steps' products with a weight.
/// The mask holds 0 with probability `rate`, else `1 / (1 - rate)`.
final class SharedDropout {
    let rate: Double
    private let backend: any Backend
    private let draw: any Kernel
    private let multiply: any Kernel
    private let storage: Scratch
    private var mask: MatrixView?
    private let spread: Scratch

    /// - Parameter rate: in 0..<1.
    init(rate: Double, on backend: any Backend) throws {
        precondition((0..<1).contains(rate))
        self.rate = rate
        self.backend = backend
        draw = try backend.compile(
            PointwiseProgram(inputs: 0, scalars: 2) { _, scalars in [select(scalars[0] > .uniform, 0, scalars[1])] })
        multiply = try backend.compile(PointwiseProgram(inputs: 2) { input, _ in [input[0] * input[1]] })
        storage = Scratch(backend)
        spread = Scratch(backend)
    }

    /// Draws the mask anew; all ones if `key` is nil.
    func draw(rows: Int, columns: Int, key: RandomKey?) throws {
        mask = try storage.view(rows: rows, columns: columns)
        guard let key else { return backend.fill(mask!, with: 1) }
        backend.run(draw, inputs: [], outputs: [mask!], scalars: [rate, 1 / (1 - rate)], key: key)
    }

    /// `destination` ← `source` times the mask; both have its shape.
    func apply(_ source: MatrixView, into destination: MatrixView) {
        backend.run(multiply, inputs: [source, mask!], outputs: [destination])
    }

    /// `values` [T·B, H], packed, times a mask [B, H] that all T steps share
    /// (Gal & Ghahramani 2016; AWD-LSTM's locked dropout).
    func applyToSteps(_ source: MatrixView, into destination: MatrixView) {
        let mask = mask!
        let steps = source.count / mask.count
        let row = MatrixView(mask.memory, offset: mask.offset, rows: steps, columns: mask.count, rowStride: 0)
        backend.run(
            multiply, inputs: [source.reshaped(rows: steps, columns: mask.count), row],
            outputs: [destination.reshaped(rows: steps, columns: mask.count)])
    }

    /// Spreads a mask [V, 1] over the words of a batch: what ``applyToWords(_:)``
    /// multiplies with (AWD-LSTM's embedding dropout).
    func spread(over words: any IndexMemory) throws {
        backend.gatherRows(mask!, words, into: try spread.view(rows: words.count, columns: 1))
    }

    /// Row i of `values` [n, E] times the mask of word i, in place.
    func applyToWords(_ values: MatrixView) throws {
        let column = try spread.view(rows: values.rows, columns: 1)
        let factors = MatrixView(
            column.memory, offset: column.offset, rows: values.rows, columns: values.columns, rowStride: 1,
            columnStride: 0)
        backend.run(multiply, inputs: [values, factors], outputs: [values])
    }
}
