import RecurrentCore

/// Coupled oscillators (Rusch & Mishra 2021, “coRNN”): the states are the positions y and
/// the velocities z of driven, damped springs that pull at one another,
/// `y'' = tanh(W y + V y' + U x + b) − y − y'`, in steps of Δt.
public struct CoRNN: RecurrentCell, Plugin {
    public static let name = "cornn"
    public static let summary = "coupled oscillators (Rusch & Mishra 2021)"

    /// How damping enters a step.
    public enum Damping: String, CaseIterable, Sendable {
        /// By the velocity before the step.
        case explicit
        /// By the velocity after it, which stays stable at any Δt.
        case implicit
    }
    /// The step, and how damping enters it.
    public struct Options: OptionSection {
        /// Δt, above 0 and at most 1.
        public var timeStep = 0.1
        /// By the velocity before or after the step.
        public var damping = Damping.implicit
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("timeStep", \.timeStep, .within(0.001...1), "Step Δt of the oscillators."),
            .choice("damping", \.damping, "Which velocity is damped: before or after the step."),
        ]
    }
    /// The step, and how damping enters it.
    public let options: Options

    public init(options: Options = Options()) { self.options = options }

    public var stateNames: [String] { ["y", "z"] }
    public var parameters: [CellParameter] {
        [.inputWeight("U"), .recurrentWeight("W"), .recurrentWeight("V"), .inputBias("b")]
    }

    public func step(input x: SymbolicValue, states: [SymbolicValue], parameters p: CellSymbols) -> [SymbolicValue] {
        let (y, z) = (states[0], states[1]), dt = SymbolicValue(options.timeStep)
        let force = tanh(p.U • x + p.W • y + p.V • z + p.b) - y
        let velocity = options.damping == .explicit ? z + dt * (force - z) : (z + dt * force) / (1 + dt)
        return [y + dt * velocity, velocity]
    }
}
