/// The affine map `y = x Wᵀ + b` from x [R, H] to y [R, V], with W [V, H] and b [V].
public final class LinearLayer {
    /// The width H of the inputs.
    public let inputWidth: Int
    /// The width V of the outputs.
    public let outputWidth: Int
    /// The number of the weight in the store.
    public let weight: Int
    /// The number of the bias in the store.
    public let bias: Int
    private let parameters: ParameterStore
    private let backend: any Backend
    private let output: Scratch

    /// Creates a layer and declares its parameters `NAME.weight` [V, H] and `NAME.bias` [V].
    ///
    /// `tied` is the number of a declared parameter [V, H] that is used as the weight, such
    /// as an embedding's table (Press & Wolf 2017); if it is nil, `NAME.weight` is declared.
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

    /// The weight W [V, H], a view of the parameter.
    public var weightView: MatrixView { parameters.value(weight) }
    /// The bias b [1, V], a view of the parameter.
    public var biasView: MatrixView { parameters.value(bias) }
    /// Returns where a loss that is fused with the projection puts its gradients: `inputs`
    /// [R, H], and the gradients of the parameters.
    public func gradients(inputs: MatrixView) -> ProjectionGradients {
        ProjectionGradients(inputs: inputs, weight: parameters.gradient(weight), bias: parameters.gradient(bias))
    }

    /// Returns the outputs [R, V] for `input` [R, H], valid until the next call.
    ///
    /// - Throws: ``RecurrentError/device(_:)`` if there is no memory for them.
    public func forward(_ input: MatrixView) throws -> MatrixView {
        let result = try output.view(rows: input.rows, columns: outputWidth)
        forward(input, into: result)
        return result
    }

    /// Computes the outputs for `input` [R, H] into `result` [R, V].
    public func forward(_ input: MatrixView, into result: MatrixView) {
        backend.copy(biasView.broadcast(rows: input.rows, columns: outputWidth), to: result)
        backend.gemm(alpha: 1, input, weightView.transposed, beta: 1, result)
    }

    /// Adds the gradients of weight and bias, and computes that of the input.
    ///
    /// - Parameters:
    ///   - input: the input of the forward pass, [R, H].
    ///   - gradient: the gradient of its outputs, [R, V].
    ///   - inputGradient: where the gradient of `input` is written, [R, H]; nil if it isn't needed.
    public func backward(input: MatrixView, gradient: MatrixView, into inputGradient: MatrixView?) {
        backend.gemm(alpha: 1, gradient.transposed, input, beta: 1, parameters.gradient(weight))
        backend.sumColumns(gradient, beta: 1, into: parameters.gradient(bias))
        if let inputGradient { backend.gemm(gradient, weightView, into: inputGradient) }
    }
}
