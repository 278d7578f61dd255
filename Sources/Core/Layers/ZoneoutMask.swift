/// Draws the masks of ``Zoneout/random``: an element is 0, "keep the old value", with
/// probability `rate`, and otherwise 1.
final class ZoneoutMask {
    let rate: Double
    private let backend: any Backend
    private let draw: any Kernel

    /// Compiles the kernel.
    ///
    /// - Parameter rate: the probability that a unit keeps its value, in 0..<1.
    init(rate: Double, on backend: any Backend) throws {
        precondition((0..<1).contains(rate))
        self.rate = rate
        self.backend = backend
        draw = try backend.compile(
            PointwiseProgram(inputs: 1, scalars: 1) { input, rate in [select(rate[0] > .uniform, 0, input[0])] })
    }

    /// Draws a new mask.
    ///
    /// - Parameters:
    ///   - mask: the mask to fill, [T·B, n].
    ///   - lasting: 0 after a sequence's end, where every unit keeps its value, and 1 before,
    ///     [T·B, 1].
    ///   - key: the random key; nil for a mask where units keep their values only after a
    ///     sequence's end.
    func fill(_ mask: MatrixView, lasting: MatrixView, key: RandomKey?) {
        let input = lasting.broadcast(rows: mask.rows, columns: mask.columns)
        backend.run(
            draw, inputs: [input], outputs: [mask], scalars: [key == nil ? 0 : rate],
            key: key ?? RandomKey(seed: 0, purpose: .dropout))
    }
}
