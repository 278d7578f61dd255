/// Draws the masks of ``Zoneout/random``: 0, "keep the old value", with probability
/// `rate`, else 1.
final class ZoneoutMask {
    let rate: Double
    private let backend: any Backend
    private let draw: any Kernel

    /// - Parameter rate: in 0..<1.
    init(rate: Double, on backend: any Backend) throws {
        precondition((0..<1).contains(rate))
        self.rate = rate
        self.backend = backend
        draw = try backend.compile(
            PointwiseProgram(inputs: 1, scalars: 1) { input, rate in [select(rate[0] > .uniform, 0, input[0])] })
    }

    /// - Parameters:
    ///   - mask: [T·B, n].
    ///   - lasting: [T·B, 1], 0 after a sequence's end, where every unit keeps its value.
    ///   - key: nil for a mask that keeps nothing.
    func fill(_ mask: MatrixView, lasting: MatrixView, key: RandomKey?) {
        let input = lasting.broadcast(rows: mask.rows, columns: mask.columns)
        backend.run(
            draw, inputs: [input], outputs: [mask], scalars: [key == nil ? 0 : rate],
            key: key ?? RandomKey(seed: 0, purpose: .dropout))
    }
}
