// Foundation isn't imported because it has another SymbolicValue.
import RecurrentCore

/// Gradient descent until step 8, in the second epoch of these runs; later updates
/// give NaN.
struct BreakingOptimizer: Optimizer, Plugin {
    static let name = "breaking"
    static let summary = "breaks at step 8"
    init(options: NoOptions = NoOptions()) {}
    let stateCount = 0
    let scalarCount = 1
    func scalars(step: Int) -> [Double] { [step < 8 ? 0 : .nan] }
    func update(
        parameter: SymbolicValue, gradient: SymbolicValue, state: [SymbolicValue], rate: SymbolicValue,
        scalars: [SymbolicValue]
    ) -> (parameter: SymbolicValue, state: [SymbolicValue]) {
        (parameter - rate * gradient + scalars[0], [])
    }
}
