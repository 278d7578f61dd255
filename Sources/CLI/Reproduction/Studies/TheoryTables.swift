import RecurrentCore
import RecurrentRuns

/// Table 1: the limits that the bounds imply for t → ∞.
struct LimitTable: Study {
    let id = "table1"
    let title = "Table 1: the limit of ‖∂x_t/∂x_k‖ in each regime"
    func experiments(_ plan: Plan) -> [Experiment] { [] }

    private static let paper: [(low: Double, high: Double, limit: String)] = [
        (0.5, 0.9, "0"), (0.5, 1, "0*"), (0.5, 2, "0/∞*"), (1, 1, "constant"), (1, 2, "∞*"), (1.5, 2, "∞"),
    ]

    func section(_ results: Results) -> Section {
        var section = Section(
            self,
            [
                "Computed from the bounds (λβ)ⁿ‖I‖ ≤ ‖∂x_t/∂x_k‖ ≤ (Λγ)ⁿ‖I‖; * marks a limit that is possible, not certain."
            ])
        func sign(_ value: Double) -> String { value < 1 ? "< 1" : value > 1 ? "> 1" : "= 1" }
        section.tables = [
            .init(
                name: id, header: ["λβ", "Λγ", "paper", "computed"],
                rows: Self.paper.map { row in
                    let bounds = GradientBounds(slopes: row.low...row.high, singularValues: 1...1, width: 1)
                    return [sign(row.low), sign(row.high), row.limit, bounds.limit.rawValue]
                })
        ]
        return section
    }
}

/// Table 2: the bounds of the activations' slopes.
struct SlopeTable: Study {
    let id = "table2"
    let title = "Table 2: bounds of the slopes of activations"
    func experiments(_ plan: Plan) -> [Experiment] { [] }

    private static let rows: [(any Activation, paper: (String, String))] = [
        (AbsoluteValue(), ("1", "1")), (ReLU(), ("0", "1")), (LeakyReLU(), ("[0, 1]", "1")),
        (LeakyReLU(slope: 0.95), ("[0, 1]", "1")), (Tanh(), ("–", "–")),
    ]

    func section(_ results: Results) -> Section {
        var section = Section(
            self,
            [
                "β and γ with β ≤ |σ'| ≤ γ. With an orthogonal weight they bound what one step does to the norm, and the last column is the limit for t → ∞. The paper's key case is |x|, where both are 1."
            ])
        section.tables = [
            .init(
                name: id, header: ["activation", "paper β", "paper γ", "β", "γ", "limit with orthogonal W"],
                rows: Self.rows.map { activation, paper in
                    let slopes = activation.slopeBounds
                    let name = activation is LeakyReLU ? "leaky-relu \(slopes.lowerBound)" : activation.name
                    return [
                        name, paper.0, paper.1, Format.number(slopes.lowerBound), Format.number(slopes.upperBound),
                        GradientBounds(slopes: slopes, singularValues: 1...1, width: 1).limit.rawValue,
                    ]
                })
        ]
        return section
    }
}
