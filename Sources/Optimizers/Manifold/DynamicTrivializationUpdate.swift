import RecurrentCore

/// Dynamic trivialization: `W = exp(B) W₀` with the exact gradient, where the base `W₀` becomes the present W, and B
/// becomes 0, every K steps (Lezcano-Casado 2019, “Trivializations for gradient-based optimization on manifolds”).
///
/// With K = 1 each step is one along a geodesic, as in Riemannian optimization; if the base never moves, this is expRNN
/// with a start of its own. As the start is a base, W may have the determinant −1 and keeps it.
public struct DynamicTrivializationUpdate: ManifoldUpdate, Plugin {
    public static let name = "dynamic-trivialization"
    public static let summary = "W = exp(B) W₀ with the exact gradient; W₀ moves every few steps (dtriv)"
    /// The choice of how often the base moves.
    public struct Options: OptionSection {
        /// The number K of steps after which the base becomes the present weight; 0 for never.
        public var period = 100
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .integer(
                "basePeriod", \.period, 0...1_000_000_000, "Steps after which W₀ becomes the present W; 0 for never.")
        ]
    }
    /// The number K of steps after which the base becomes the present weight; nil if it never does.
    public let period: Int?
    public var traits: ManifoldTraits { ManifoldTraits(starts: .anywhere) }

    public init(options: Options) { self.init(period: options.period == 0 ? nil : options.period) }
    /// Creates the update.
    ///
    /// - Parameter period: the number of steps after which the base becomes the present weight, at least 1; nil for never.
    public init(period: Int? = 100) {
        precondition(period ?? 1 >= 1, "the base moves after at least one step")
        self.period = period
    }

    public func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        // The exact gradient follows from G Wᵀ and B, whatever the base is.
        let map = try ProductMap(
            ExactExponentialUpdate.Workspace(size: size, on: backend), isAtZero: false, on: backend)
        return try BasedWorkspace(size: size, on: backend, map: map, period: period)
    }
}
