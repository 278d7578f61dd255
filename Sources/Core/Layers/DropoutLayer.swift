/// Inverted dropout: each element is 0 with probability `rate`, else divided by
/// `1 - rate`. The mask isn't kept from forward to backward: it is drawn again
/// from its key.
public final class DropoutLayer {
    public let rate: Double
    /// Whether all steps of a sequence share one mask (variational dropout, Gal &
    /// Ghahramani 2016).
    public var isLocked: Bool { shared != nil }
    private let backend: any Backend
    private let kernel: any Kernel
    private let shared: SharedDropout?
    private let output: Scratch

    /// - Parameters:
    ///   - rate: in 0..<1.
    ///   - isLocked: whether all steps of a sequence share one mask.
    ///   - backend: where it runs.
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

    /// A masked copy of `input` [T·B, H]; a locked mask has the rows of `batch`, B.
    public func forward(_ input: MatrixView, batch: Int, key: RandomKey) throws -> MatrixView {
        let result = try output.view(rows: input.rows, columns: input.columns)
        try apply(input, into: result, batch: batch, key: key)
        return result
    }

    /// Masks `values` in place: the forward pass on a layer's own output, or the
    /// backward pass on a gradient (the same mask, for the same key and shape).
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
