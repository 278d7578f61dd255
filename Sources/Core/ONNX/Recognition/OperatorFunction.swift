import RecurrentCore

/// An activation of ONNX's recurrent operators, as an equation.
struct OperatorFunction: Sendable {
    /// The name in the standard.
    let name: String
    /// The values of the attributes `activation_alpha` and `activation_beta`, as far as the function has them.
    var alpha: Double?
    var beta: Double?
    /// The equation.
    let equation: @Sendable (SymbolicValue) -> SymbolicValue

    init(
        _ name: String, alpha: Double? = nil, beta: Double? = nil,
        _ equation: @escaping @Sendable (SymbolicValue) -> SymbolicValue
    ) {
        self.name = name
        self.alpha = alpha
        self.beta = beta
        self.equation = equation
    }

    static let sigmoid = OperatorFunction("Sigmoid") { RecurrentCore.sigmoid($0) }
    static let identity = OperatorFunction("Affine", alpha: 1, beta: 0) { $0 }

    /// The functions other than the identity; one that can be written in several ways is there in each of them.
    ///
    /// - Parameter constants: the numbers among which those slopes are that a function may have.
    static func all(constants: Set<Double>) -> [OperatorFunction] {
        var functions = [
            OperatorFunction("Tanh") { tanh($0) }, sigmoid, OperatorFunction("Sigmoid") { 1 / (1 + exp(-$0)) },
            OperatorFunction("Relu") { max($0, 0) }, OperatorFunction("Relu") { select($0 > 0, $0, 0) },
            OperatorFunction("Softsign") { $0 / (1 + abs($0)) }, OperatorFunction("Softplus") { log(1 + exp($0)) },
        ]
        for slope in constants.sorted() where slope > 0 && slope < 1 {
            functions.append(
                OperatorFunction("LeakyRelu", alpha: slope) { select($0 > 0, $0, slope * $0) })
            functions.append(OperatorFunction("LeakyRelu", alpha: slope) { max($0, slope * $0) })
        }
        return functions
    }

    /// The operations in the equation.
    var operations: Set<PointwiseOperation> {
        Set(PointwiseProgram(inputs: 1) { x, _ in [equation(x[0])] }.instructions.map(\.operation)).filter {
            switch $0 {
            case .input, .constant: false
            default: true
            }
        }
    }
}
