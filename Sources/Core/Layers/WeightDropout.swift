/// Copies of a recurrent layer's recurrent weights with a new mask for each batch
/// (DropConnect, Wan et al. 2013; AWD-LSTM, Merity, Keskar & Socher 2018).
final class WeightDropout {
    /// The value and gradient that training uses in place of a parameter's.
    struct Substitute {
        let value: MatrixView
        let gradient: MatrixView
    }

    /// The substitutes by the parameter's number in the layer.
    let substitutes: [Int: Substitute]
    private let masks: [(number: Int, parameter: Int, mask: SharedDropout)]
    private let parameters: ParameterStore
    private let backend: any Backend
    private let add: any Kernel

    /// Allocates the masked copies.
    ///
    /// - Parameters:
    ///   - rate: the probability that an element is dropped, in 0..<1.
    ///   - weights: the recurrent weights' numbers in the layer and in the store.
    ///   - parameters: the store that holds the weights.
    ///   - backend: the backend that the layer runs on.
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

    /// Draws new masks and applies them.
    ///
    /// - Parameter key: returns the random key of a parameter, given its number in the store;
    ///   nil for masks of ones.
    func prepare(_ key: ((Int) -> RandomKey)?) throws {
        for (number, parameter, mask) in masks {
            let value = parameters.value(parameter), substitute = substitutes[number]!
            try mask.draw(rows: value.rows, columns: value.columns, key: key?(parameter))
            mask.apply(value, into: substitute.value)
            backend.fill(substitute.gradient, with: 0)
        }
    }

    /// Adds the masked gradients of the backward pass to those of the parameters.
    func finish() {
        for (number, parameter, mask) in masks {
            let gradient = substitutes[number]!.gradient, target = parameters.gradient(parameter)
            mask.apply(gradient, into: gradient)
            backend.run(add, inputs: [target, gradient], outputs: [target])
        }
    }
}
