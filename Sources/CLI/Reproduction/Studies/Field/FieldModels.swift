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
        rates: (Double, Double), _ published: Published? = nil, manifold: PluginChoice
    ) -> FieldModel {
        FieldModel(
            label: label, id: id, groups: groups, width: width, published: published,
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
        cell("LSTM", "lstm", width: 42, rates: (1e-3, nil), Sources.lstm),
        cell("GRU", "gru", width: 50, rates: (1e-3, nil), Sources.gru),
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
            "exp(B), exact gradient (expRNN)", "exact-exponential", rates: (1e-3, 1e-4), Sources.expRNN,
            manifold: "exact-exponential"),
        constraint("Cayley", "cayley", rates: (1e-3, 1e-4), manifold: "cayley"),
        constraint(
            "Cayley with signs (scoRNN)", "scaled-cayley", rates: (1e-3, 1e-4), Sources.scoRNN,
            manifold: PluginChoice("scaled-cayley", ["negativeOnes": 32])),
        constraint(
            "dynamic trivialization (dtriv)", "dynamic-trivialization", rates: (1e-3, 1e-4), Sources.dtriv,
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
            Sources.arjovsky, manifold: "arjovsky-factors"),
    ]

    /// Accuracies on MNIST in the literature.
    private enum Sources {
        private static let rusch = "listed by Rusch & Mishra 2021"
        private static let lezcano = "Lezcano-Casado & Martínez-Rubio 2019, H = 512"
        static let lstm = Published(sequential: 98.9, permuted: 92.9, source: rusch)
        static let gru = Published(sequential: 99.1, permuted: 94.1, source: rusch)
        static let coRNN = Published(sequential: 99.4, permuted: 97.34, source: "Rusch & Mishra 2021, H = 256")
        static let lem = Published(
            sequential: 99.5, permuted: 96.6, source: "Rusch, Mishra, Erichson & Mahoney 2022, H = 128")
        static let expRNN = Published(sequential: 98.7, permuted: 96.6, source: lezcano)
        static let scoRNN = Published(sequential: 98.2, permuted: 96.5, source: lezcano)
        static let dtriv = Published(sequential: 99.0, permuted: 96.8, source: rusch)
        static let arjovsky = Published(sequential: 95.1, permuted: 91.4, source: rusch)
    }
}
