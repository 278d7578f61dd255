/// `y = x Wᵀ + b`: [R, H] to [R, V], W [V, H], b [V].
public final class LinearLayer {
    /// H.
    public let inputWidth: Int
    /// V.
    public let outputWidth: Int
    let weight: Int
    let bias: Int
    private let parameters: ParameterStore
    private let backend: any Backend
    private let output: Scratch

    /// Declares `NAME.weight` and `NAME.bias`; with `tied`, the number of a parameter
    /// [V, H], that one is the weight (an embedding's table: Press & Wolf 2017).
    public init(
        name: String, inputWidth: Int, outputWidth: Int, tied: Int? = nil, parameters: ParameterStore,
        on backend: any Backend
    ) {
        self.inputWidth = inputWidth
        self.outputWidth = outputWidth
        self.parameters = parameters
        self.backend = backend
        weight = tied ?? parameters.declare("\(name).weight", rows: outputWidth, columns: inputWidth)
        bias = parameters.declare("\(name).bias", rows: 1, columns: outputWidth, isVector: true)
        output = Scratch(backend)
    }

    /// W [V, H], a view of the parameter.
    public var weightView: MatrixView { parameters.value(weight) }
    /// b [1, V], a view of the parameter.
    public var biasView: MatrixView { parameters.value(bias) }
    /// Where a loss that is fused with the projection puts its gradients: `inputs` [R, H]
    /// and the parameters'.
    public func gradients(inputs: MatrixView) -> ProjectionGradients {
        ProjectionGradients(inputs: inputs, weight: parameters.gradient(weight), bias: parameters.gradient(bias))
    }

    /// What the layer makes of `input` [R, H], [R, V]; valid until the next call.
    /// - Throws: ``RecurrentError/backend(_:)`` if there is no memory for it.
    public func forward(_ input: MatrixView) throws -> MatrixView {
        let result = try output.view(rows: input.rows, columns: outputWidth)
        forward(input, into: result)
        return result
    }

    /// The same, into memory [R, V] that is there.
    public func forward(_ input: MatrixView, into result: MatrixView) {
        backend.copy(biasView.broadcast(rows: input.rows, columns: outputWidth), to: result)
        backend.gemm(alpha: 1, input, weightView.transposed, beta: 1, result)
    }

    /// Goes back through the last pass.
    ///
    /// - Parameters:
    ///   - input: what that pass read, [R, H].
    ///   - gradient: of what it made, [R, V].
    ///   - inputGradient: becomes the gradient of `input`, [R, H]; nil if nobody wants it.
    ///     Those of weight and bias are added to.
    public func backward(input: MatrixView, gradient: MatrixView, into inputGradient: MatrixView?) {
        backend.gemm(alpha: 1, gradient.transposed, input, beta: 1, parameters.gradient(weight))
        backend.sumColumns(gradient, beta: 1, into: parameters.gradient(bias))
        if let inputGradient { backend.gemm(gradient, weightView, into: inputGradient) }
    }
}
