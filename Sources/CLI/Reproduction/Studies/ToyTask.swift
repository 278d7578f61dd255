import RecurrentCore
import RecurrentRuns

/// The paper's tasks I and II, with the sizes of its Table 8.
public struct ToyTask: Sendable {
    let dataset: String
    let name: String
    let lengths: [Int]
    /// The paper's (loss, accuracy in %) by model and length.
    let paper: [String: [Int: (Double, Double)]]
    var effort = Effort.paper

    /// A model that is trained on the task.
    public struct Model: Sendable {
        let label: String
        /// The name on the command line, which is also part of the folders' names.
        public let id: String
        /// Applies the model's settings to the task's configuration, for a sequence length.
        let edit: @Sendable (inout RunConfiguration, Int) -> Void

        init(label: String, id: String, edit: @escaping @Sendable (inout RunConfiguration, Int) -> Void) {
            (self.label, self.id, self.edit) = (label, id, edit)
        }
        /// Creates a model with the same settings at every length.
        init(_ label: String, _ id: String, edit: @escaping @Sendable (inout RunConfiguration) -> Void) {
            self.init(label: label, id: id) { configuration, _ in edit(&configuration) }
        }
    }

    /// The two models of the paper, those that it proposes as future work, and controls.
    public static let models = [
        Model("RNN", "rnn") { $0.useRNN() },
        Model("uRNN", "urnn") { $0.cell = "urnn" },
        Model("uRNN, |x|", "urnn-abs") {
            $0.cell = "urnn"
            $0.activation = "abs"
        },
        Model("RNN from W = I", "identity-rnn") { $0.useRNN(from: .identity) },
        Model("GRU", "gru") { $0.cell = "gru" },
        Model("uGRU", "ugru") { $0.cell = "ugru" },
    ]

    /// The names of the models in all tables of the toy tasks, without duplicates.
    static let modelNames: [String] = (models + Effort.searched.models).reduce(into: []) { names, model in
        if !names.contains(model.id) { names.append(model.id) }
    }

    static let recall = ToyTask(
        dataset: "recall", name: "task I, the first of N numbers", lengths: [20, 50, 100],
        paper: [
            "RNN": [20: (2.33, 10.22), 50: (2.33, 10.56), 100: (2.33, 9.36)],
            "uRNN": [20: (0.01, 99.98), 50: (0.01, 100), 100: (0.01, 100)],
        ])
    static let kthLargest = ToyTask(
        dataset: "kth-largest", name: "task II, the 10th largest of N numbers", lengths: [100, 200, 400],
        paper: [
            "RNN": [100: (1.52, 38.12), 200: (2.12, 34.15), 400: (1.20, 15.23)],
            "uRNN": [100: (0.31, 92.01), 200: (0.21, 80.45), 400: (0.10, 56.73)],
        ])
    static let kthLargestSearched = ToyTask(
        dataset: kthLargest.dataset, name: kthLargest.name, lengths: kthLargest.lengths, paper: kthLargest.paper,
        effort: .searched)

    func experiment(_ model: Model, length: Int, _ plan: Plan) -> Experiment {
        plan.experiment("\(dataset)-n\(length)-\(model.id)\(effort.suffix)", on: dataset) {
            $0.dataset["length"] = .integer(length)
            effort.edit(&$0, plan.scale)
            model.edit(&$0, length)
            $0.tracking.trackTest = true
        }
    }

    /// The training settings of a task, and the models to train.
    struct Effort: Sendable {
        /// The end of the experiments' names.
        let suffix: String
        /// Applies the settings, before those of the model.
        let edit: @Sendable (inout RunConfiguration, Scale) -> Void
        /// Returns a description of the settings for the report.
        let settings: @Sendable (Scale) -> String
        let models: [Model]

        private static let sizes = "E 30, H 50, batches of 100, Adam, W = I at the start of every orthogonal weight"
        static let paper = Effort(
            suffix: "",
            edit: { configuration, scale in
                switch scale {
                case .smoke: configuration.useSmoke()
                case .short: configuration.training.epochs = 150
                case .paper:
                    configuration.training.learningRate = 5e-5
                    configuration.training.epochs = 200
                    configuration.dataset["trainSize"] = 50_000
                }
            },
            settings: { scale in
                let common = "\(sizes), dropout 0.2 on the logits"
                switch scale {
                case .smoke:
                    return
                        "\(common); 400 training sequences, 2 epochs, learning rate 1e-3: too little to learn anything."
                case .short:
                    return
                        "\(common); 10,000 training sequences, up to 150 epochs, learning rate 1e-3 (the paper: 5e-5), stop once the validation loss is below 0.005."
                case .paper:
                    return
                        "\(common); 50,000 training sequences (the paper doesn't say), up to 200 epochs, learning rate 5e-5, stop once the validation loss is below 0.005; no stop by patience, which ends runs that learn later."
                }
            },
            models: ToyTask.models)

        /// The settings that `cli search` found.
        ///
        /// For the uRNN, searched at N = 100 and at N = 400, these are a large learning rate for the input and output
        /// weights and a small one for B; for the RNN from W = I, searched at N = 100, a smaller one for all weights.
        /// The last model has the uRNN's rates without its constraint, to show the effect of the rates alone.
        static let searched = Effort(
            suffix: "-searched",
            edit: { configuration, scale in
                configuration.dataset["freshData"] = true
                configuration.model.dropout = 0
                configuration.schedule = "cosine"
                configuration.training.clipNorm = 1
                if scale == .smoke {
                    configuration.useSmoke()
                } else {
                    configuration.training.epochs = scale == .short ? 100 : 200
                }
            },
            settings: { scale in
                let found =
                    "\(sizes); cosine decay, gradients' norm clipped to 1, no dropout, 10,000 new sequences each epoch. Learning rates by `cli search`, by validation loss: uRNN 1e-2 and 3e-5 for B, at N = 400 3e-3 and 1e-5; RNNs 3e-3 (searched at N = 100 only, from W = I); the RNN with the uRNN's rates has those for W that the uRNN has for B"
                switch scale {
                case .smoke: return "\(found). Here 400 sequences and 2 epochs: too little to learn anything."
                case .short: return "\(found). 100 epochs."
                case .paper: return "\(found). 200 epochs, as many as the paper's."
                }
            },
            models: [
                Model("RNN", "rnn") {
                    $0.useRNN()
                    $0.training.learningRate = 0.003
                },
                Model(label: "uRNN", id: "urnn") {
                    $0.cell = "urnn"
                    ($0.training.learningRate, $0.training.manifoldLearningRate) = rates($1)
                },
                Model("RNN from W = I", "identity-rnn") {
                    $0.useRNN(from: .identity)
                    $0.training.learningRate = 0.003
                },
                Model(label: "RNN from W = I, the uRNN's rates", id: "slow-identity-rnn") {
                    $0.useRNN(from: .identity)
                    ($0.training.learningRate, $0.training.recurrentLearningRate) = rates($1)
                },
            ])

        /// Returns the uRNN's learning rates at a length: that of most weights, and that of B.
        private static func rates(_ length: Int) -> (Double, Double) {
            length == 400 ? (0.003, 0.00001) : (0.01, 0.00003)
        }
    }
}

/// Tables 3 and 4, and Table 4 again with settings from a search.
struct ToyTable: Study {
    let id: String
    let title: String
    let task: ToyTask

    static let recall = ToyTable(id: "table3", title: "Table 3: \(ToyTask.recall.name)", task: .recall)
    static let kthLargest = ToyTable(id: "table4", title: "Table 4: \(ToyTask.kthLargest.name)", task: .kthLargest)
    static let kthLargestSearched = ToyTable(
        id: "table4-searched", title: "Table 4 again: \(ToyTask.kthLargest.name), settings from a search",
        task: .kthLargestSearched)

    private func models(_ plan: Plan) -> [ToyTask.Model] {
        task.effort.models.filter { plan.models?.contains($0.id) ?? true }
    }

    func experiments(_ plan: Plan) -> [Experiment] {
        task.lengths.flatMap { length in models(plan).map { task.experiment($0, length: length, plan) } }
    }

    func section(_ results: Results) -> Section {
        var section = Section(
            self,
            [
                task.effort.settings(results.plan.scale),
                "Compare accuracies, not losses: the paper's losses don't fit its accuracies (0.10 at 56.73 % is below what that accuracy allows). The RNN started at W = I is the control that tells the start from the constraint.",
            ])
        var rows: [[String]] = []
        let all = task.lengths.flatMap { length in
            models(results.plan).map { task.experiment($0, length: length, results.plan) }
        }
        let isEmpty = all.allSatisfy { results.of($0).isEmpty }
        for length in task.lengths {
            for model in models(results.plan) {
                let records = results.of(task.experiment(model, length: length, results.plan))
                // Rows without runs are left out, unless that would leave none.
                if records.isEmpty, !isEmpty { continue }
                let tests = records.compactMap(\.test), paper = task.paper[model.label]?[length]
                rows.append([
                    "\(length)", model.label, paper.map { Format.number($0.1) } ?? "–",
                    Format.mean(tests.map(\.metric), scale: 100), paper.map { Format.number($0.0) } ?? "–",
                    Format.mean(tests.map(\.loss), digits: 3), records.epochs,
                    records.seeds,
                ])
                section.records += records
            }
        }
        section.tables = [
            .init(
                name: id,
                header: ["N", "model", "paper: accuracy %", "accuracy %", "paper: loss", "loss", "epochs", "seeds"],
                rows: rows)
        ]
        return section
    }
}

/// Figures 1 and 2: the losses on the toy tasks over the epochs.
struct LossFigure: Study {
    let id: String
    let title: String
    let task: ToyTask

    static let recall = LossFigure(id: "figure1", title: "Figure 1: losses on task I, N = 100", task: .recall)
    static let kthLargest = LossFigure(
        id: "figure2", title: "Figure 2: losses on task II, N = 100, k = 10", task: .kthLargest)

    private var models: [ToyTask.Model] {
        task.effort.models.filter { ["rnn", "urnn", "identity-rnn"].contains($0.id) }
    }

    func experiments(_ plan: Plan) -> [Experiment] { models.map { task.experiment($0, length: 100, plan) } }

    func section(_ results: Results) -> Section {
        var section = Section(
            self,
            [
                task.effort.settings(results.plan.scale),
                "Training losses have dropout, those of validation and test don't (test losses are there where the run has `--track-test`). The first seed is drawn.",
            ])
        var held = Figure(title: title, xLabel: "epoch", yLabel: "cross-entropy"), trained = held
        trained.title += ", training"
        for model in models {
            let records = results.of(task.experiment(model, length: 100, results.plan))
            section.records += records
            func curve(_ split: String, _ lines: KeyPath<RunRecord, [RunRecord.Line]>) -> Figure.Curve {
                .init(
                    "\(model.label), \(split)",
                    (records.first?[keyPath: lines] ?? []).map { .init(Double($0.epoch), $0.loss) })
            }
            held.curves += [curve("test", \.tests), curve("validation", \.valid)]
            trained.curves.append(curve("training", \.train))
        }
        section.plots = [("", held), ("-training", trained)].filter { $0.1.hasPoints }.map {
            .init(name: id + $0.0, figure: $0.1)
        }
        return section
    }
}

extension RunConfiguration {
    /// Reduces the data and the epochs, to too little to learn anything.
    fileprivate mutating func useSmoke() {
        useSplits(train: 400, valid: 200, test: 200)
        training.epochs = 2
    }
}
