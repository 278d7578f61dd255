import RecurrentCore
import RecurrentRuns

/// Word-level language modelling with the sizes of the paper's Table 9.
enum LanguageTask {
    /// An activation that the paper compares.
    struct Activation: Sendable {
        let label: String
        /// The part of the folders' names that stands for the activation.
        let id: String
        let choice: PluginChoice
        /// The hidden size that the paper uses: 100 units for |x|, 200 for the others.
        let width: Int
        /// The bounds β...γ of the slope.
        let slopes: ClosedRange<Double>
    }

    static let activations = [
        Activation(label: "|x|", id: "abs", choice: "abs", width: 100, slopes: 1...1),
        Activation(label: "ReLU", id: "relu", choice: "relu", width: 200, slopes: 0...1),
        Activation(
            label: "Leaky ReLU (0.5)", id: "leaky-relu", choice: PluginChoice("leaky-relu", ["slope": 0.5]), width: 200,
            slopes: 0.5...1),
    ]
    /// An activation that only Figure 4 shows.
    static let nearLinear = Activation(
        label: "Leaky ReLU (0.95)", id: "leaky-relu-95", choice: PluginChoice("leaky-relu", ["slope": 0.95]),
        width: 200,
        slopes: 0.95...1)

    static let cells = [("RNN", "rnn"), ("uRNN", "urnn")]
    static let bptt = 30

    static func experiment(cell: String, _ activation: Activation, _ plan: Plan) -> Experiment {
        plan.experiment("ptb-\(cell)-\(activation.id)", on: "ptb") {
            edit(&$0, cell, bptt: bptt, width: activation.width, plan)
            $0.activation = activation.choice
            $0.tracking.trackGradients = interval(plan.scale)
            $0.tracking.trackEpochs = epochsShown(plan.scale)
        }
    }

    static func gated(cell: String, bptt: Int, _ plan: Plan) -> Experiment {
        plan.experiment("ptb-\(cell)-bptt\(bptt)", on: "ptb") { edit(&$0, cell, bptt: bptt, width: 200, plan) }
    }

    /// Applies the paper's settings where they differ from the defaults of the data set.
    private static func edit(
        _ configuration: inout RunConfiguration, _ cell: String, bptt: Int, width: Int, _ plan: Plan
    ) {
        configuration.cell = PluginChoice(cell)
        configuration.dataset["data"] = .text(plan.corpus)
        configuration.dataset["bptt"] = .integer(bptt)
        configuration.training.learningRate = 1e-4
        switch plan.scale {
        case .smoke:
            configuration.useSmokeCorpus(width: width)
            configuration.training.epochs = 2
            configuration.training.learningRate = 1e-3
        case .short:
            configuration.model.hiddenSize = width
            configuration.training.epochs = 2
        case .paper:
            configuration.model.hiddenSize = width
            configuration.training.epochs = 300
        }
    }

    /// Returns the number of batches between two measurements of the gradient norm.
    static func interval(_ scale: Scale) -> Int {
        switch scale {
        case .smoke: 1
        case .short: 20
        case .paper: 100
        }
    }

    /// Returns the epochs for which Figure 4 shows every batch.
    static func epochsShown(_ scale: Scale) -> [Int] {
        switch scale {
        case .smoke: [2]
        case .short: []
        case .paper: [7, 100]
        }
    }

    /// Returns the text about those epochs that follows the interval in a note.
    static func alsoTracked(_ scale: Scale) -> String {
        let epochs = epochsShown(scale)
        return epochs.isEmpty ? "" : ", and after each of epochs \(epochs.map(String.init).joined(separator: " and ")),"
    }

    /// Returns the number of hidden units at a scale.
    static func width(_ activation: Activation, _ scale: Scale) -> Int {
        scale == .smoke ? activation.width / 4 : activation.width
    }

    static func settings(_ plan: Plan) -> String {
        let common =
            "On \(plan.corpusName). Adam, dropout 0.2 on embedding and output, gradients of the recurrent weights clipped to ±0.25"
        switch plan.scale {
        case .smoke:
            return
                "\(common); a quarter of the paper's widths, 16 batches of 20 sequences, learning rate 1e-3: too little to learn anything."
        case .short:
            return
                "\(common); E 400, H 200 (|x|: 100), batches of 80, learning rate 1e-4; at most 2 of the paper's 300 epochs: perplexities are far from converged."
        case .paper:
            return
                "\(common); E 400, H 200 (|x|: 100), batches of 80, learning rate 1e-4, up to 300 epochs; each run's command tells how many were trained."
        }
    }
}

/// Table 5: the perplexities of RNN and uRNN by activation.
struct ActivationTable: Study {
    let id = "table5"
    let title = "Table 5: perplexities of RNN and uRNN by activation"
    /// The paper's validation and test perplexities, by cell and activation.
    static let paper: [String: [String: (Double, Double)]] = [
        "rnn": ["abs": (784.53, 773.91), "relu": (754.65, 705.28), "leaky-relu": (756.48, 712.88)],
        "urnn": ["abs": (717.12, 613.89), "relu": (720.88, 666.93), "leaky-relu": (869.21, 810.21)],
    ]

    func experiments(_ plan: Plan) -> [Experiment] {
        LanguageTask.cells.flatMap { cell in
            LanguageTask.activations.map { LanguageTask.experiment(cell: cell.1, $0, plan) }
        }
    }

    func section(_ results: Results) -> Section {
        var section = Section(self, [LanguageTask.settings(results.plan), PerplexityColumns.note + " BPTT 30."])
        var rows: [[String]] = []
        for (label, cell) in LanguageTask.cells {
            for activation in LanguageTask.activations {
                let records = results.of(LanguageTask.experiment(cell: cell, activation, results.plan))
                rows.append(
                    [label, activation.label]
                        + PerplexityColumns.values(records, paper: Self.paper[cell]?[activation.id]))
                section.records += records
            }
        }
        section.tables = [.init(name: id, header: ["model", "activation"] + PerplexityColumns.header, rows: rows)]
        return section
    }
}

/// Table 7: the perplexities of GRU and uGRU by BPTT length.
struct GatedTable: Study {
    let id = "table7"
    let title = "Table 7: perplexities of GRU and uGRU by BPTT"
    /// The paper's validation and test perplexities, by cell and BPTT length.
    static let paper: [String: [Int: (Double, Double)]] = [
        "gru": [35: (100.80, 97.25), 150: (108.33, 105.34)], "ugru": [35: (101.76, 98.05), 150: (105.05, 102.07)],
    ]
    static let lengths = [35, 150]
    private static let cells = [("GRU", "gru"), ("uGRU", "ugru")]

    func experiments(_ plan: Plan) -> [Experiment] {
        Self.cells.flatMap { cell in Self.lengths.map { LanguageTask.gated(cell: cell.1, bptt: $0, plan) } }
    }

    func section(_ results: Results) -> Section {
        var section = Section(self, [LanguageTask.settings(results.plan), PerplexityColumns.note])
        var rows: [[String]] = []
        for (label, cell) in Self.cells {
            for bptt in Self.lengths {
                let records = results.of(LanguageTask.gated(cell: cell, bptt: bptt, results.plan))
                rows.append([label, "\(bptt)"] + PerplexityColumns.values(records, paper: Self.paper[cell]?[bptt]))
                section.records += records
            }
        }
        section.tables = [.init(name: id, header: ["model", "BPTT"] + PerplexityColumns.header, rows: rows)]
        return section
    }
}

/// The columns that the tables of perplexities have in common.
enum PerplexityColumns {
    static let note = "Best validation perplexity, and the test perplexity of those weights."
    static let header = ["paper: valid", "valid", "paper: test", "test", "epochs", "seeds"]
    static func values(_ records: [RunRecord], paper: (Double, Double)?) -> [String] {
        [
            paper.map { Format.number($0.0) } ?? "–", Format.mean(records.compactMap { $0.bestValid?.metric }),
            paper.map { Format.number($0.1) } ?? "–", Format.mean(records.compactMap { $0.test?.metric }),
            records.epochs,
            records.seeds,
        ]
    }
}

extension RunConfiguration {
    /// Reduces the widths to a quarter and trains on few batches, not enough to learn anything.
    mutating func useSmokeCorpus(width: Int) {
        model.embeddingSize = 40
        model.hiddenSize = width / 4
        training.batchSize = 20
        training.batchesPerEpoch = 8
        training.evaluationBatchSize = 20
    }
}
