/// A first-order optimizer: a pointwise program from parameter, gradient and
/// state to the new parameter and state.
public protocol Optimizer: Sendable {
    var name: String { get }
    /// One line for `cli list`.
    var summary: String { get }
    /// How many numbers it keeps for each parameter; all start at 0.
    var stateCount: Int { get }
    /// How many numbers ``scalars(step:)`` gives, besides the learning rate.
    var scalarCount: Int { get }
    /// What changes from step to step (bias corrections), in Double on the host.
    ///
    /// - Parameter step: 1 for the first update.
    func scalars(step: Int) -> [Double]
    /// The factor λ of an L2 penalty: λ times the parameter is added to the gradient of
    /// every parameter but the skew ones. Default: 0.
    var penalty: Double { get }
    /// The same without weight decay of its own: for skew parameters, which decay
    /// would pull towards W = I. Default: itself.
    var withoutWeightDecay: any Optimizer { get }
    /// The update.
    ///
    /// - Parameters:
    ///   - parameter: its value before.
    ///   - gradient: of the loss.
    ///   - state: ``stateCount`` numbers.
    ///   - rate: the learning rate.
    ///   - scalars: the values of ``scalars(step:)``.
    /// - Returns: the new parameter and the new state, as many as before.
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

    /// The update as a program. Inputs: parameter, gradient, states. Scalars:
    /// rate, then the optimizer's own. Outputs: parameter, states.
    public var program: PointwiseProgram { program(weightDecay: penalty) }

    /// The same with an L2 penalty: `weightDecay · parameter` is added to the
    /// gradient, as the `weight_decay` of torch's SGD, RMSprop and Adam.
    ///
    /// - Parameters:
    ///   - weightDecay: the penalty's factor.
    ///   - isGated: whether there is one more input, the last, that leaves parameter and
    ///     states as they are where it is infinite or no number.
    public func program(weightDecay: Double, isGated: Bool = false) -> PointwiseProgram {
        PointwiseProgram(inputs: 2 + stateCount + (isGated ? 1 : 0), scalars: 1 + scalarCount) { inputs, scalars in
            let state = Array(inputs[2..<2 + stateCount])
            let result = update(
                parameter: inputs[0],
                gradient: weightDecay == 0 ? inputs[1] : inputs[1] + SymbolicValue(weightDecay) * inputs[0],
                state: state,
                rate: scalars[0], scalars: Array(scalars[1...]))
            precondition(result.state.count == stateCount, "\(name) returned another number of states")
            let after = [result.parameter] + result.state
            guard isGated else { return after }
            let isFinite = SymbolicValue(.infinity) > inputs[2 + stateCount]
            return zip(after, [inputs[0]] + state).map { select(isFinite, $0, $1) }
        }
    }
}
