// Not Foundation, which has another Expression.
import RecurrentCore

/// Gradient descent until step 8, in the second epoch of these runs; what comes
/// after is no number.
struct BreakingOptimizer: Optimizer, Plugin {
    static let name = "breaking"
    static let summary = "breaks at step 8"
    init(options: NoOptions = NoOptions()) {}
    let stateCount = 0
    let scalarCount = 1
    func scalars(step: Int) -> [Double] { [step < 8 ? 0 : .nan] }
    func update(
        parameter: Expression, gradient: Expression, state: [Expression], rate: Expression, scalars: [Expression]
    ) -> (parameter: Expression, state: [Expression]) {
        (parameter - rate * gradient + scalars[0], [])
    }
}
