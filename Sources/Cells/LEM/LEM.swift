import RecurrentCore

/// Long expressive memory (Rusch, Mishra, Erichson & Mahoney 2022): two states, of which each
/// unit moves by a time step that it learns (their Equation 3).
public struct LEM: RecurrentCell, Plugin {
    public static let name = "lem"
    public static let summary = "long expressive memory (Rusch et al. 2022): learned time steps, two states"
    /// The largest time step.
    public struct Options: OptionSection {
        /// The largest time step Δt, in 0.0001...1.
        public var timeStep = 1.0
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("timeStep", \.timeStep, .within(0.0001...1), "Time step Δt.")
        ]
    }
    /// The largest time step.
    public let options: Options

    /// Creates an LEM cell.
    ///
    /// - Parameter options: the largest time step.
    public init(options: Options = Options()) { self.options = options }

    public var stateNames: [String] { ["y", "z"] }
    public var parameters: [CellParameter] {
        let names = ["1", "2", "z", "y"]
        return names.map { .inputWeight("V_\($0)") } + names.map { .recurrentWeight("W_\($0)") }
            + names.map { .inputBias("b_\($0)") }
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let (y, z) = (states[0], states[1]), dt = options.timeStep
        let dt1 = dt * sigmoid(p.W_1 • y + p.V_1 • x + p.b_1)
        let dt2 = dt * sigmoid(p.W_2 • y + p.V_2 • x + p.b_2)
        let newZ = (1 - dt1) * z + dt1 * tanh(p.W_z • y + p.V_z • x + p.b_z)
        let newY = (1 - dt2) * y + dt2 * tanh(p.W_y • newZ + p.V_y • x + p.b_y)
        return [newY, newZ]
    }
}
