import RecurrentCore

/// The coupled oscillatory network (Rusch & Mishra 2021, “coRNN”): the states are the
/// positions y and the velocities z of driven, damped oscillators that pull at one another,
/// `y'' = tanh(W y + V y' + U x + b) − γ y − ε y'`, discretized in time steps of Δt (their
/// Equation 3).
public struct CoRNN: RecurrentCell, Plugin {
    public static let name = "cornn"
    public static let summary = "coupled oscillators (Rusch & Mishra 2021)"

    /// The velocity that is damped in a step.
    public enum DampingScheme: String, CaseIterable, Sendable {
        /// The velocity before the step, as in the authors' experiments.
        case explicit
        /// The velocity after the step, with which damping is stable for any Δt.
        case implicit
    }
    /// The constants of the oscillators; by default, those of the authors' experiment on
    /// sequential MNIST.
    public struct Options: OptionSection {
        /// The time step Δt, in 0.0001...1.
        public var timeStep = 0.042
        /// The frequency γ of the oscillators, above 0.
        public var frequency = 2.7
        /// The damping ε of the oscillators, at least 0.
        public var damping = 4.7
        /// The velocity that is damped in a step: the one before it or the one after it.
        public var dampingScheme = DampingScheme.explicit
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("timeStep", \.timeStep, .within(0.0001...1), "Time step Δt."),
            .number("frequency", \.frequency, .above(0), "Frequency γ of the oscillators."),
            .number("damping", \.damping, .atLeast(0), "Damping ε of the oscillators."),
            .choice("dampingScheme", \.dampingScheme, "Damped velocity: before the step (explicit) or after it."),
        ]
    }
    /// The constants of the oscillators.
    public let options: Options

    /// Creates a coRNN cell.
    ///
    /// - Parameter options: the constants of the oscillators.
    public init(options: Options = Options()) { self.options = options }

    public var stateNames: [String] { ["y", "z"] }
    public var parameters: [CellParameter] {
        [.inputWeight("U"), .recurrentWeight("W"), .recurrentWeight("V"), .inputBias("b")]
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let (y, z) = (states[0], states[1])
        let (dt, gamma, epsilon) = (options.timeStep, options.frequency, options.damping)
        let force = tanh(p.U • x + p.W • y + p.V • z + p.b) - gamma * y
        let velocity =
            options.dampingScheme == .explicit
            ? z + dt * (force - epsilon * z) : (z + dt * force) / (1 + dt * epsilon)
        return [y + dt * velocity, velocity]
    }
}
