/// A first-order optimizer: a pointwise program from parameter, gradient and
/// state to the new parameter and state.
public protocol Optimizer: Sendable {
    /// The name on the command line, in lower-case words joined by hyphens.
    var name: String { get }
    /// A description in one line, for `cli list`.
    var summary: String { get }
    /// The number of state variables per parameter; all start at 0.
    var stateCount: Int { get }
    /// The number of scalars that ``scalars(step:)`` returns; 0 by default.
    var scalarCount: Int { get }
    /// Returns the scalars that change from step to step, such as bias corrections, computed
    /// in Double on the host; none by default.
    ///
    /// - Parameter step: the number of the update, from 1.
    func scalars(step: Int) -> [Double]
    /// The factor λ of an L2 penalty: λ times the parameter is added to the gradient of
    /// every parameter except the skew ones; 0 by default.
    var penalty: Double { get }
    /// The optimizer without its weight decay, for skew parameters, which decay would pull
    /// towards W = I; by default the optimizer itself.
    var withoutWeightDecay: any Optimizer { get }
    /// Returns the optimizer with another weight decay, for a ``ParameterGroup``: decoupled if its own is, otherwise as
    /// ``penalty``. The state stays the same. By default, only an optimizer without weight decay accepts 0.
    ///
    /// - Parameter weightDecay: the weight decay, at least 0.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if its weight decay can't be chosen.
    func withWeightDecay(_ weightDecay: Double) throws -> any Optimizer
    /// Checks the options that the optimizer was created with; every optimizer that updates
    /// parameters is checked first. By default they are right.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the option that is wrong.
    func check() throws
    /// Returns the update of one parameter as expressions.
    ///
    /// - Parameters:
    ///   - parameter: the value of the parameter before the update.
    ///   - gradient: the gradient of the loss.
    ///   - state: the state variables, ``stateCount`` of them.
    ///   - rate: the learning rate.
    ///   - scalars: the values of ``scalars(step:)``.
    /// - Returns: the new parameter and as many new state variables as there were.
    func update(
        parameter: SymbolicValue, gradient: SymbolicValue, state: [SymbolicValue], rate: SymbolicValue,
        scalars: [SymbolicValue]
    ) -> (parameter: SymbolicValue, state: [SymbolicValue])
}

extension Optimizer {
    public var scalarCount: Int { 0 }
    public func scalars(step: Int) -> [Double] { [] }
    public var withoutWeightDecay: any Optimizer { self }
    public var penalty: Double { 0 }
    public func withWeightDecay(_ weightDecay: Double) throws -> any Optimizer {
        guard weightDecay == 0, penalty == 0 else {
            throw RecurrentError.invalidOption(
                "the weight decay of the optimizer \(name) can't be chosen for a group; choose another optimizer, or implement `withWeightDecay`"
            )
        }
        return withoutWeightDecay
    }
    public func check() throws {}

    /// The update as a program, with the L2 penalty ``penalty``. Its inputs are parameter,
    /// gradient and states; its scalars are the rate and then the optimizer's own; its outputs
    /// are parameter and states.
    public var program: PointwiseProgram { program(weightDecay: penalty) }

    /// Returns the update as a program with an L2 penalty: `weightDecay · parameter` is added
    /// to the gradient, like the `weight_decay` of torch's SGD, RMSprop and Adam.
    ///
    /// - Parameters:
    ///   - weightDecay: the factor of the penalty.
    ///   - isGated: whether the program has one more input, the last; where it is infinite or
    ///     NaN, parameter and states stay as they are.
    public func program(weightDecay: Double, isGated: Bool = false) -> PointwiseProgram {
        PointwiseProgram(inputs: 2 + stateCount + (isGated ? 1 : 0), scalars: 1 + scalarCount) { inputs, scalars in
            let state = Array(inputs[2..<2 + stateCount])
            let result = update(
                parameter: inputs[0],
                gradient: weightDecay == 0 ? inputs[1] : inputs[1] + SymbolicValue(weightDecay) * inputs[0],
                state: state,
                rate: scalars[0], scalars: Array(scalars[1...]))
            precondition(result.state.count == stateCount, "\(name) returned the wrong number of states")
            // A state that has overflowed, such as a mean square, would stop all later updates without a
            // word; the parameter becomes NaN instead, so that the run ends as diverged.
            let parameter = result.state.reduce(result.parameter) { parameter, state in
                select(
                    SymbolicValue(Double(Float.greatestFiniteMagnitude)) > abs(state), parameter, SymbolicValue(.nan))
            }
            let after = [parameter] + result.state
            guard isGated else { return after }
            let isFinite = SymbolicValue(.infinity) > inputs[2 + stateCount]
            return zip(after, [inputs[0]] + state).map { select(isFinite, $0, $1) }
        }
    }
}
