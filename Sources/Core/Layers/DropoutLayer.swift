/// Inverted dropout: each element is 0 with probability `rate`, else divided by
/// `1 - rate`. The mask is never stored: it is drawn again from its key.
public final class DropoutLayer {
    public let rate: Double
    private let backend: any Backend
    private let kernel: any Kernel
    private let output: Scratch

    /// - Parameters:
    ///   - rate: in 0..<1.
    ///   - backend: where it runs.
    public init(rate: Double, backend: any Backend) throws {
        precondition((0..<1).contains(rate))
        self.rate = rate
        self.backend = backend
        kernel = try backend.compile(
            PointwiseProgram(inputs: 1, scalars: 2) { input, scalars in
                [select(scalars[0] > .uniform, 0, input[0] * scalars[1])]
            })
        output = Scratch(backend)
    }

    /// A masked copy of `input`.
    public func forward(_ input: MatrixView, key: RandomKey) throws -> MatrixView {
        let result = try output.view(rows: input.rows, columns: input.columns)
        apply(input, into: result, key: key)
        return result
    }

    /// Masks `values` in place: the forward pass on a layer's own output, or the
    /// backward pass on a gradient (the same mask, for the same key and shape).
    public func apply(inPlace values: MatrixView, key: RandomKey) {
        apply(values, into: values, key: key)
    }

    private func apply(_ source: MatrixView, into destination: MatrixView, key: RandomKey) {
        backend.run(kernel, inputs: [source], outputs: [destination], scalars: [rate, 1 / (1 - rate)], key: key)
    }
}
