import RecurrentCore

/// The minimal GRU (Feng et al. 2024, “Were RNNs all we needed?”): gate and candidate see the
/// input alone, so there is no recurrent weight and no product in the time loop;
/// `h' = (1 − z) h + z h̃`.
public struct MinGRU: RecurrentCell, Plugin {
    public static let name = "mingru"
    public static let summary = "minimal GRU (Feng et al. 2024): gate and candidate of the input alone"

    /// The candidate state's function of `U_h x + b_h`.
    public enum Candidate: String, CaseIterable, Sendable {
        /// The value itself (Section 3.1 of the paper).
        case linear
        /// A positive function, x + ½ for x ≥ 0 and sigmoid(x) below, as in the paper's
        /// version in log-space (Appendix B).
        case positive
    }
    /// The choice of the candidate state.
    public struct Options: OptionSection {
        /// The candidate state's function: the value itself, or a positive one.
        public var candidate = Candidate.linear
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .choice("candidate", \.candidate, "Candidate: linear, or positive as in log-space.")
        ]
    }
    /// The choice of the candidate state.
    public let options: Options

    /// Creates a minGRU cell.
    ///
    /// - Parameter options: the choice of the candidate state.
    public init(options: Options = Options()) { self.options = options }

    public var parameters: [CellParameter] {
        [.inputWeight("U_z"), .inputWeight("U_h"), .inputBias("b_z"), .inputBias("b_h")]
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let h = states[0]
        let z = sigmoid(p.U_z • x + p.b_z)
        let value = p.U_h • x + p.b_h
        let candidate = options.candidate == .linear ? value : select(value < 0, sigmoid(value), value + 0.5)
        return [(1 - z) * h + z * candidate]
    }
}
