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
        rates: (Double, Double), manifold: PluginChoice, _ published: Published? = nil
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
        cell("LSTM", "lstm", width: 42, rates: (3e-3, nil), Sources.lstm),
        cell("GRU", "gru", width: 50, rates: (3e-3, nil), Sources.gru),
        cell("uGRU", "ugru", width: 53, rates: (3e-3, 1e-3)),
        cell("minGRU", "mingru", width: 197, rates: (3e-3, nil)),
        cell("coRNN", "cornn", width: 71, rates: (3e-3, nil), Sources.coRNN),
        cell("LEM", "lem", width: 42, rates: (3e-3, nil), Sources.lem),
        cell("LRU", "lru", width: 58, rates: (1e-3, nil)),
        cell("nnRNN", "nnrnn", width: 96, rates: (3e-3, 1e-4)),
        constraint(
            "uRNN, W = exp(B)", "urnn", groups: [.cells, .constraints], rates: (3e-3, 1e-4), manifold: "exponential"),
        constraint(
            "complex uRNN, W = exp(B)", "complex-urnn", groups: [.cells, .constraints], cell: "complex-urnn", width: 83,
            rates: (3e-3, 1e-4), manifold: "exponential"),
    ]

    private static let constraints: [FieldModel] = [
        constraint(
            "exp(B), exact gradient (expRNN)", "exact-exponential", rates: (3e-3, 1e-4),
            manifold: "exact-exponential", Sources.expRNN),
        constraint("Cayley", "cayley", rates: (3e-3, 1e-4), manifold: "cayley"),
        constraint(
            "Cayley with signs (scoRNN)", "scaled-cayley", rates: (3e-3, 1e-3),
            manifold: PluginChoice("scaled-cayley", ["negativeOnes": 32]), Sources.scoRNN),
        constraint(
            "dynamic trivialization (dtriv)", "dynamic-trivialization", rates: (3e-3, 1e-4),
            manifold: "dynamic-trivialization", Sources.dtriv),
        constraint(
            "polar retraction", "polar-retraction", rates: (3e-3, 1e-4),
            manifold: PluginChoice("retraction", ["retractionMethod": "polar"])),
        constraint(
            "QR retraction", "qr-retraction", rates: (3e-3, 1e-4),
            manifold: PluginChoice("retraction", ["retractionMethod": "qr"])),
        constraint(
            "Householder reflections", "householder", width: 95, rates: (3e-3, 1e-4), manifold: "householder",
            Sources.oRNN),
        constraint(
            "spectral margin 1 ± 0.1", "spectral-margin", width: 95, rates: (3e-3, 1e-4),
            manifold: PluginChoice("spectral-margin", ["spectralMargin": 0.1]), Sources.margin),
        constraint(
            "unitary, Cayley retraction (Wisdom et al.)", "wisdom", cell: "complex-urnn", width: 83,
            rates: (3e-3, 1e-4), manifold: PluginChoice("retraction", ["retractionMethod": "cayley"]), Sources.wisdom),
        constraint(
            "unitary factors (Arjovsky et al.)", "arjovsky", cell: "complex-urnn", width: 174, rates: (3e-3, 1e-3),
            manifold: "arjovsky-factors", Sources.arjovsky),
    ]

    /// Accuracies on MNIST, each from a text that was read. Of the widths in one table it is the one nearest to the study's.
    private enum Sources {
        /// Own results of the paper, Section 5.1 and Table 1.
        static let lstm = Published(sequential: 98.9, permuted: 90.2, source: "Cooijmans et al. 2017, H = 100")
        /// Table 2 of Keller et al., whose baselines are those of the LEM paper.
        static let gru = Published(
            sequential: 99.1, permuted: 94.1,
            source: "Rusch et al. 2022 (in Keller et al. 2024), H = 256")
        /// The authors' repository, tk-rusch/coRNN; H is the default of its programs.
        static let coRNN = Published(sequential: 99.4, permuted: 97.34, source: "Rusch & Mishra 2021, H = 256")
        /// The authors' repository, tk-rusch/LEM; H is the default of its programs.
        static let lem = Published(
            sequential: 99.5, permuted: 96.6, source: "Rusch et al. 2022, H = 128")
        /// The table in ndminhkhoi46/asRNN; Kiani et al. 2022, Table 2, give the same for permuted MNIST.
        static let expRNN = Published(
            sequential: 98.0, permuted: 94.9,
            source: "Lezcano-Casado & Martínez-Rubio 2019 (in asRNN's table), H = 170")
        /// The table in ndminhkhoi46/asRNN; Kiani et al. 2022, Table 2, give the same for permuted MNIST.
        static let scoRNN = Published(
            sequential: 97.2, permuted: 94.8,
            source: "Helfrich et al. 2018 (in asRNN's table), H = 170")
        /// Table 2 of Kiani et al., DT100: the base moves every 100 steps, as here.
        static let dtriv = Published(
            sequential: nil, permuted: 95.1, source: "Lezcano-Casado 2019 (in Kiani et al. 2022), H = 170")
        /// Table 2 of Zhang et al.
        static let oRNN = Published(
            sequential: 97.2, permuted: nil,
            source: "Mhammedi et al. 2017 (in Zhang et al. 2018), H = 256, 32 reflections")
        /// Own results of the paper, Tables 1 and 2, margin 0.1; H from Table 1 of Chang et al. 2019.
        static let margin = Published(sequential: 94.1, permuted: 91.44, source: "Vorontsov et al. 2017, H = 128")
        /// Table 1 of Chang et al., which has H = 512 as well, at 96.9 and 94.1.
        static let wisdom = Published(
            sequential: 92.8, permuted: 92.1, source: "Wisdom et al. 2016 (in Chang et al. 2019), H = 116")
        /// Table 1 of Cooijmans et al.; H from Table 2 of Zhang et al. 2018.
        static let arjovsky = Published(
            sequential: 95.1, permuted: 91.4,
            source: "Arjovsky et al. 2016 (in Cooijmans et al. 2017), H = 512")
    }
}
