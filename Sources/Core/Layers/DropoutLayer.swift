/// Inverted dropout: each element becomes 0 with probability `rate`, and is otherwise
/// divided by `1 - rate`. The mask isn't kept from the forward to the backward pass: it
/// is drawn again from its key.
public final class DropoutLayer {
    /// The probability that an element becomes 0, in 0..<1.
    public let rate: Double
    /// Whether all steps of a sequence share one mask (variational dropout, Gal &
    /// Ghahramani 2016).
    public var isLocked: Bool { shared != nil }
    private let backend: any Backend
    private let kernel: any Kernel
    private let shared: SharedDropout?
    private let output: Scratch

    /// Creates a layer and compiles its kernels.
    ///
    /// - Parameters:
    ///   - rate: the probability that an element becomes 0, in 0..<1.
    ///   - isLocked: whether all steps of a sequence share one mask.
    ///   - backend: the backend that the layer runs on.
    /// - Throws: what the backend throws.
    public init(rate: Double, isLocked: Bool = false, on backend: any Backend) throws {
        precondition((0..<1).contains(rate))
        self.rate = rate
        self.backend = backend
        kernel = try backend.compile(
            PointwiseProgram(inputs: 1, scalars: 2) { input, scalars in
                [select(scalars[0] > .uniform, 0, input[0] * scalars[1])]
            })
        shared = isLocked ? try SharedDropout(rate: rate, on: backend) : nil
        output = Scratch(backend)
    }

    /// Returns a masked copy of `input` [T·B, H], valid until the next call.
    ///
    /// - Parameters:
    ///   - input: the values to mask, [T·B, H].
    ///   - batch: the number B of sequences, and of rows of a locked mask.
    ///   - key: the random key of the mask.
    /// - Throws: what the backend throws.
    public func forward(_ input: MatrixView, batch: Int, key: RandomKey) throws -> MatrixView {
        let result = try output.view(rows: input.rows, columns: input.columns)
        try apply(input, into: result, batch: batch, key: key)
        return result
    }

    /// Masks `values` in place: the forward pass on a layer's own output, or the backward
    /// pass on a gradient. The mask is the same for the same key and shape.
    ///
    /// - Throws: what the backend throws.
    public func apply(inPlace values: MatrixView, batch: Int, key: RandomKey) throws {
        try apply(values, into: values, batch: batch, key: key)
    }

    private func apply(_ source: MatrixView, into destination: MatrixView, batch: Int, key: RandomKey) throws {
        if let shared {
            try shared.draw(rows: batch, columns: source.columns, key: key)
            shared.applyToSteps(source, into: destination)
        } else {
            backend.run(kernel, inputs: [source], outputs: [destination], scalars: [rate, 1 / (1 - rate)], key: key)
        }
    }
}
