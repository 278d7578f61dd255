/// A recurrent cell: its parameters and the equations of one time step.
///
///     struct Elman: RecurrentCell {
///         var name: String { "elman" }
///         var summary: String { "h' = tanh(U x + W h + b)" }
///         var parameters: [CellParameter] { [.inputWeight("U"), .recurrentWeight("W"), .inputBias("b")] }
///         func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
///             [tanh(p.U • x + p.W • states[0] + p.b)]
///         }
///     }
///
/// That is all: the step compiler derives the fused forward and backward passes.
public protocol RecurrentCell: Sendable {
    /// The cell's name on the command line, such as `gru`.
    var name: String { get }
    /// A one-line description for `cli list`.
    var summary: String { get }
    /// The names of the states. By default, `["h"]`.
    var stateNames: [String] { get }
    /// The number of states that are the cell's output: the first `outputCount` of them side by side, [outputCount · H].
    /// By default 1.
    ///
    /// A complex network whose states are `Re h` and `Im h`, for instance, passes on `[Re h; Im h]`.
    var outputCount: Int { get }
    /// The declarations of the cell's parameters, in the order in which they are stored.
    var parameters: [CellParameter] { get }
    /// The bounds of the magnitude of the slope of the cell's only nonlinearity, for cells to
    /// which the paper's Theorem 1 applies (`h' = σ(U x + W h + b)`); nil for others and by default.
    var slopeBounds: ClosedRange<Double>? { get }
    /// Returns the same bounds at the present values of the cell's parameters, for an activation whose slope depends on
    /// parameters of its own; by default, ``slopeBounds``.
    ///
    /// - Parameter vectors: returns the finite values [H] of the bias or per-unit vector with a name.
    func slopeBounds(at vectors: (String) -> [Double]) -> ClosedRange<Double>?

    /// Returns the new states as expressions, in the order of ``stateNames``.
    ///
    /// It is called when the cell is compiled. A mistake in the equations, such as the name of a parameter that isn't
    /// declared, is thrown from there as ``RecurrentError/cell(_:)``.
    ///
    /// - Parameters:
    ///   - x: the input of this time step, [E].
    ///   - states: the states before this time step, [H] each.
    ///   - p: the parameters by name.
    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue]
}

extension RecurrentCell {
    public var stateNames: [String] { ["h"] }
    public var outputCount: Int { 1 }
    public var slopeBounds: ClosedRange<Double>? { nil }
    public func slopeBounds(at vectors: (String) -> [Double]) -> ClosedRange<Double>? { slopeBounds }
}
