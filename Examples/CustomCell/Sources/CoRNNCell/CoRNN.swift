import RecurrentCore

/// Coupled oscillators (Rusch & Mishra 2021, “coRNN”): the states are the positions y and
/// the velocities z of driven, damped springs that pull at one another,
/// `y'' = tanh(W y + V y' + U x + b) − y − y'`, discretized in time steps of Δt.
public struct CoRNN: RecurrentCell, Plugin {
    public static let name = "cornn"
    public static let summary = "coupled oscillators (Rusch & Mishra 2021)"

    /// The velocity by which a step is damped.
    public enum Damping: String, CaseIterable, Sendable {
        /// The velocity before the step.
        case explicit
        /// The velocity after the step, which keeps damping stable for any Δt.
        case implicit
    }
    /// The time step, and the velocity by which it is damped.
    public struct Options: OptionSection {
        /// The time step Δt, in 0.001...1.
        public var timeStep = 0.1
        /// The velocity by which a step is damped: the one before it or the one after it.
        public var damping = Damping.implicit
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("timeStep", \.timeStep, .within(0.001...1), "Time step Δt of the oscillators."),
            .choice("damping", \.damping, "Velocity by which a step is damped: before it (explicit) or after it."),
        ]
    }
    /// The time step, and the velocity by which it is damped.
    public let options: Options

    public init(options: Options = Options()) { self.options = options }

    public var stateNames: [String] { ["y", "z"] }
    public var parameters: [CellParameter] {
        [.inputWeight("U"), .recurrentWeight("W"), .recurrentWeight("V"), .inputBias("b")]
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let (y, z) = (states[0], states[1]), dt = SymbolicValue(options.timeStep)
        let force = tanh(p.U • x + p.W • y + p.V • z + p.b) - y
        let velocity = options.damping == .explicit ? z + dt * (force - z) : (z + dt * force) / (1 + dt)
        return [y + dt * velocity, velocity]
    }
}
