import RecurrentCore
import RecurrentRuns

extension FieldModel {
    /// The models of the study: the cells of the field, and the constraints on one of them.
    package static let all: [FieldModel] = cells + constraints

    private static func cell(
        _ label: String, _ id: String, width: Int, rates: (Double, Double?), _ published: Published? = nil,
        edit: @escaping @Sendable (inout RunConfiguration) -> Void = { _ in }
    ) -> FieldModel {
        FieldModel(
            label: label, id: id, groups: [.cells], width: width, published: published,
            rates: Rates(learning: rates.0, recurrent: rates.1)
        ) {
            $0.cell = PluginChoice(id)
            edit(&$0)
        }
    }

    /// Returns a uRNN, or a complex uRNN, with a modReLU and one of the manifold updates.
    private static func constraint(
        _ label: String, _ id: String, groups: Set<Group> = [.constraints], cell: String = "urnn", width: Int = 128,
        rates: (Double, Double), manifold: PluginChoice
    ) -> FieldModel {
        FieldModel(
            label: label, id: id, groups: groups, width: width, published: nil,
            rates: Rates(learning: rates.0, recurrent: rates.1)
        ) {
            $0.cell = PluginChoice(cell)
            $0.activation = "modrelu"
            $0.manifold = manifold
        }
    }

    private static let cells: [FieldModel] = [
        cell("RNN, tanh", "rnn", width: 96, rates: (1e-3, nil)) { $0.activation = "tanh" },
        cell("RNN from rotations, modReLU", "rotations-rnn", width: 95, rates: (1e-3, 1e-4)) {
            $0.useRNN(from: .rotations)
            $0.activation = "modrelu"
        },
        cell("LSTM", "lstm", width: 42, rates: (1e-3, nil)),
        cell("GRU", "gru", width: 50, rates: (1e-3, nil)),
        cell("uGRU", "ugru", width: 53, rates: (1e-3, 1e-4)),
        cell("minGRU", "mingru", width: 197, rates: (1e-3, nil)),
        cell("coRNN", "cornn", width: 71, rates: (1e-3, nil), Sources.coRNN),
        cell("LEM", "lem", width: 42, rates: (1e-3, nil), Sources.lem),
        cell("LRU", "lru", width: 58, rates: (1e-3, nil)),
        constraint(
            "uRNN, W = exp(B)", "urnn", groups: [.cells, .constraints], rates: (1e-3, 1e-4), manifold: "exponential"),
        constraint(
            "complex uRNN, W = exp(B)", "complex-urnn", groups: [.cells, .constraints], cell: "complex-urnn", width: 83,
            rates: (1e-3, 1e-4), manifold: "exponential"),
    ]

    private static let constraints: [FieldModel] = [
        constraint(
            "exp(B), exact gradient (expRNN)", "exact-exponential", rates: (1e-3, 1e-4),
            manifold: "exact-exponential"),
        constraint("Cayley", "cayley", rates: (1e-3, 1e-4), manifold: "cayley"),
        constraint(
            "Cayley with signs (scoRNN)", "scaled-cayley", rates: (1e-3, 1e-4),
            manifold: PluginChoice("scaled-cayley", ["negativeOnes": 32])),
        constraint(
            "dynamic trivialization (dtriv)", "dynamic-trivialization", rates: (1e-3, 1e-4),
            manifold: "dynamic-trivialization"),
        constraint(
            "polar retraction", "polar-retraction", rates: (1e-3, 1e-4),
            manifold: PluginChoice("retraction", ["retractionMethod": "polar"])),
        constraint(
            "QR retraction", "qr-retraction", rates: (1e-3, 1e-4),
            manifold: PluginChoice("retraction", ["retractionMethod": "qr"])),
        constraint("Householder reflections", "householder", width: 95, rates: (1e-3, 1e-4), manifold: "householder"),
        constraint(
            "spectral margin 1 ± 0.1", "spectral-margin", width: 95, rates: (1e-3, 1e-4),
            manifold: PluginChoice("spectral-margin", ["spectralMargin": 0.1])),
        constraint(
            "unitary, Cayley retraction (Wisdom et al.)", "wisdom", cell: "complex-urnn", width: 83,
            rates: (1e-3, 1e-4), manifold: PluginChoice("retraction", ["retractionMethod": "cayley"])),
        constraint(
            "unitary factors (Arjovsky et al.)", "arjovsky", cell: "complex-urnn", width: 174, rates: (1e-3, 1e-4),
            manifold: "arjovsky-factors"),
    ]

    /// Accuracies on MNIST that the authors' repositories give (tk-rusch/coRNN and tk-rusch/LEM).
    private enum Sources {
        static let coRNN = Published(sequential: 99.4, permuted: 97.34, source: "Rusch & Mishra 2021")
        static let lem = Published(
            sequential: 99.5, permuted: 96.6, source: "Rusch, Mishra, Erichson & Mahoney 2022")
    }
}
