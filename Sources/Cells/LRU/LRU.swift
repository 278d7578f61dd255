import RecurrentCore

/// The linear recurrent unit (Orvieto et al. 2023, “Resurrecting recurrent neural networks for
/// long sequences”): a complex number per unit that turns and decays, `s' = λ s + γ B x` with
/// `λ = exp(−ν + i θ)`, and the output `h' = Re(C s') + D x`.
public struct LRU: RecurrentCell, Plugin {
    public static let name = "lru"
    public static let summary = "linear recurrent unit (Orvieto et al. 2023): complex and diagonal"

    /// The ring in the complex plane in which the eigenvalues λ start.
    public struct Options: OptionSection {
        /// The smallest magnitude of an eigenvalue at the start, in 0..<1.
        public var minimumRadius = 0.0
        /// The largest magnitude of an eigenvalue at the start, in 0.01...1.
        public var maximumRadius = 1.0
        /// The largest phase of an eigenvalue at the start in radians, above 0.
        public var maximumPhase = 2 * Double.pi
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number("minimumRadius", \.minimumRadius, .within(0...0.9999), "Smallest |λ| at the start.").needing(
                .freshWeights),
            .number("maximumRadius", \.maximumRadius, .within(0.01...1), "Largest |λ| at the start.").needing(
                .freshWeights),
            .number("maximumPhase", \.maximumPhase, .above(0), "Largest phase of λ at the start, in radians.")
                .needing(.freshWeights),
        ]
        public func validate() throws {
            guard minimumRadius <= maximumRadius else {
                throw RecurrentError.invalidOption(
                    "`minimumRadius` must be at most `maximumRadius`, not \(minimumRadius) and \(maximumRadius)")
            }
        }
    }
    /// The ring in which the eigenvalues start.
    public let options: Options

    /// Creates an LRU cell.
    ///
    /// - Parameter options: the ring in which the eigenvalues start.
    public init(options: Options = Options()) { self.options = options }

    public var stateNames: [String] { ["h", "re", "im"] }
    public var parameters: [CellParameter] {
        let (low, high, phase) = (options.minimumRadius, options.maximumRadius, options.maximumPhase)
        /// Returns a function of each unit's |λ|², of which there are equally many in equal areas of the ring.
        func ofSquares(_ function: @escaping @Sendable (Double) -> Double) -> CellParameter.Initialization {
            .computed { _, count, _ in
                (0..<count).map { unit in
                    let place = (Double(unit) + 0.5) / Double(count)
                    return function(low * low + place * (high * high - low * low))
                }
            }
        }
        return [
            .inputWeight("B_re", initialization: Self.normal(2)), .inputWeight("B_im", initialization: Self.normal(2)),
            .inputWeight("D", initialization: Self.normal(1)),
            .recurrentWeight("C_re", initialization: Self.normal(1)),
            .recurrentWeight("C_im", initialization: Self.normal(1)),
            .perUnit("nu_log", initialization: ofSquares { RealFunctions.log(-0.5 * RealFunctions.log($0)) }),
            .perUnit(
                "theta_log",
                initialization: .computed { _, count, random in
                    (0..<count).map { _ in RealFunctions.log(phase * (1 - random.uniform())) }
                }),
            .perUnit("gamma_log", initialization: ofSquares { 0.5 * RealFunctions.log(1 - $0) }),
        ]
    }
    /// Returns normal numbers of variance 1 / (`parts` · columns).
    private static func normal(_ parts: Int) -> CellParameter.Initialization {
        .computed { rows, columns, random in
            (0..<rows * columns).map { _ in random.normal() / Double(parts * columns).squareRoot() }
        }
    }

    public func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let radius = exp(-exp(p.nu_log)), phase = exp(p.theta_log), gamma = exp(p.gamma_log)
        let cosine = radius * cos(phase), sine = radius * sin(phase)
        let re = cosine * states.re - sine * states.im + gamma * (p.B_re • x)
        let im = sine * states.re + cosine * states.im + gamma * (p.B_im • x)
        return [p.C_re • re - p.C_im • im + p.D • x, re, im]
    }
}
