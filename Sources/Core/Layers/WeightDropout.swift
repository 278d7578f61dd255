/// Masked copies of a recurrent layer's recurrent weights, for one batch each
/// (DropConnect, Wan et al. 2013; AWD-LSTM, Merity, Keskar & Socher 2018).
final class WeightDropout {
    /// What training reads and writes in place of a parameter.
    struct Substitute {
        let value: MatrixView
        let gradient: MatrixView
    }

    /// By the parameter's number in the layer.
    let substitutes: [Int: Substitute]
    private let masks: [(number: Int, parameter: Int, mask: SharedDropout)]
    private let parameters: ParameterStore
    private let backend: any Backend
    private let add: any Kernel

    /// - Parameters:
    ///   - rate: in 0..<1.
    ///   - weights: the recurrent weights' numbers in the layer and in the store.
    init(rate: Double, weights: [(number: Int, parameter: Int)], parameters: ParameterStore, on backend: any Backend)
        throws
    {
        self.parameters = parameters
        self.backend = backend
        add = try backend.compile(PointwiseProgram(inputs: 2) { input, _ in [input[0] + input[1]] })
        masks = try weights.map { ($0.number, $0.parameter, try SharedDropout(rate: rate, on: backend)) }
        var substitutes: [Int: Substitute] = [:]
        for weight in weights {
            let value = parameters.value(weight.parameter)
            substitutes[weight.number] = Substitute(
                value: try backend.allocate(rows: value.rows, columns: value.columns),
                gradient: try backend.allocate(rows: value.rows, columns: value.columns))
        }
        self.substitutes = substitutes
    }

    /// Draws new masks.
    /// - Parameter key: gives the random key of a parameter's number; nil for masks
    ///   of ones.
    func prepare(_ key: ((Int) -> RandomKey)?) throws {
        for (number, parameter, mask) in masks {
            let value = parameters.value(parameter), substitute = substitutes[number]!
            try mask.draw(rows: value.rows, columns: value.columns, key: key?(parameter))
            mask.apply(value, into: substitute.value)
            backend.fill(substitute.gradient, with: 0)
        }
    }

    /// Adds what the backward pass left, through the masks.
    func finish() {
        for (number, parameter, mask) in masks {
            let gradient = substitutes[number]!.gradient, target = parameters.gradient(parameter)
            mask.apply(gradient, into: gradient)
            backend.run(add, inputs: [target, gradient], outputs: [target])
        }
    }
}
