/// Dropout whose mask is drawn once and used in several places: for all steps of a
/// sequence, all positions of a word, or the products of all steps with a weight.
/// An element of the mask is 0 with probability `rate`, and otherwise `1 / (1 - rate)`.
final class SharedDropout {
    let rate: Double
    private let backend: any Backend
    private let draw: any Kernel
    private let multiply: any Kernel
    private let storage: Scratch
    private var mask: MatrixView?
    private let spread: Scratch

    /// Compiles the kernels.
    ///
    /// - Parameter rate: the probability that an element is dropped, in 0..<1.
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

    /// Draws a new mask [rows, columns]; all ones if `key` is nil.
    func draw(rows: Int, columns: Int, key: RandomKey?) throws {
        mask = try storage.view(rows: rows, columns: columns)
        guard let key else { return backend.fill(mask!, with: 1) }
        backend.run(draw, inputs: [], outputs: [mask!], scalars: [rate, 1 / (1 - rate)], key: key)
    }

    /// Writes `source` times the mask to `destination`; both have the mask's shape.
    func apply(_ source: MatrixView, into destination: MatrixView) {
        backend.run(multiply, inputs: [source, mask!], outputs: [destination])
    }

    /// Writes `source` [T·B, H], packed, times a mask [B, H] that all T steps share
    /// (Gal & Ghahramani 2016; AWD-LSTM's locked dropout).
    func applyToSteps(_ source: MatrixView, into destination: MatrixView) {
        let mask = mask!
        let steps = source.count / mask.count
        let row = MatrixView(mask.memory, offset: mask.offset, rows: steps, columns: mask.count, rowStride: 0)
        backend.run(
            multiply, inputs: [source.reshaped(rows: steps, columns: mask.count), row],
            outputs: [destination.reshaped(rows: steps, columns: mask.count)])
    }

    /// Spreads a mask [V, 1] over the words of a batch, for ``applyToWords(_:)``
    /// (AWD-LSTM's embedding dropout).
    func spread(over words: any IndexMemory) throws {
        backend.gatherRows(mask!, words, into: try spread.view(rows: words.count, columns: 1))
    }

    /// Multiplies row i of `values` [n, E] by the mask of word i, in place.
    func applyToWords(_ values: MatrixView) throws {
        let column = try spread.view(rows: values.rows, columns: 1)
        let factors = MatrixView(
            column.memory, offset: column.offset, rows: values.rows, columns: values.columns, rowStride: 1,
            columnStride: 0)
        backend.run(multiply, inputs: [values, factors], outputs: [values])
    }
}
