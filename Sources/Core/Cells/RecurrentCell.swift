/// A recurrent cell: its parameters and the equations of one time step.
///
///     struct Elman: RecurrentCell {
///         var name: String { "elman" }
///         var summary: String { "h' = tanh(U x + W h + b)" }
///         var parameters: [CellParameter] { [.inputWeight("U"), .recurrentWeight("W"), .inputBias("b")] }
///         func step(input x: SymbolicValue, states: [SymbolicValue], parameters p: CellSymbols) -> [SymbolicValue] {
///             [tanh(p.U • x + p.W • states[0] + p.b)]
///         }
///     }
///
/// That is all: the step compiler derives the fused forward and backward passes.
public protocol RecurrentCell: Sendable {
    /// As on the command line.
    var name: String { get }
    /// One line for `cli list`.
    var summary: String { get }
    /// The states' names; the first is the cell's output. Default: `["h"]`.
    var stateNames: [String] { get }
    var parameters: [CellParameter] { get }
    /// The bounds of the slope of its one nonlinearity, for cells to which the
    /// paper's Theorem 1 applies (`h' = σ(U x + W h + b)`); nil for others.
    var slopeBounds: ClosedRange<Double>? { get }

    /// The new states, in the order of ``stateNames``. Called once, symbolically.
    ///
    /// - Parameters:
    ///   - x: the input of this time step [E].
    ///   - states: the states before it, [H] each.
    ///   - p: the parameters by name.
    func step(input x: SymbolicValue, states: [SymbolicValue], parameters p: CellSymbols) -> [SymbolicValue]
}

extension RecurrentCell {
    public var stateNames: [String] { ["h"] }
    public var slopeBounds: ClosedRange<Double>? { nil }
}
