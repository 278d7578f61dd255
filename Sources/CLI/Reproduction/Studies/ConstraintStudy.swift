import RecurrentCore
import RecurrentRuns

/// A study beyond the paper: what the orthogonality constraint adds to its initialization and learning rate.
///
/// It compares the uRNN with RNNs that start at an orthogonal matrix but are free to leave it, some of them from the
/// uRNN's kind of matrix, at its rates, and with gradient clipping. The tasks have sequences of increasing length, and
/// gradient norms are tracked during training.
struct ConstraintStudy: Study {
    let id = "constraint"
    let title = "Beyond the paper: the constraint, or the start?"

    private struct Task: Sendable {
        let label: String
        let id: String
        let dataset: String
        /// The length N, or the delay T, of which scale smoke uses a tenth.
        let length: Int
        /// Applies the task's settings, before those of the model.
        let edit: @Sendable (inout RunConfiguration) -> Void
        let models: [ToyTask.Model]
        /// The number of epochs at scale short; scale paper has twice as many.
        let epochs: Int
        /// The delay T of the copying task; nil for other tasks.
        var delay: Int? = nil
    }

    private static func rnn(
        _ label: String, _ id: String, from start: RecurrentInitialization, rate: Double? = nil, clip: Double? = nil
    ) -> ToyTask.Model {
        .init(label, id) {
            $0.useRNN(from: start)
            $0.training.recurrentLearningRate = rate
            if let clip { $0.training.clipNorm = clip }
        }
    }

    private static func urnn(
        _ label: String, _ id: String, from start: PluginChoice = "henaff", rate: Double, clip: Double? = nil
    ) -> ToyTask.Model {
        .init(label, id) {
            $0.cell = "urnn"
            $0.skewInit = start
            $0.training.manifoldLearningRate = rate
            if let clip { $0.training.clipNorm = clip }
        }
    }

    private static let tasks: [Task] =
        [100, 300].map { n in
            Task(
                label: "recall, N = \(n)", id: "recall-n\(n)", dataset: "recall", length: n,
                edit: { $0.dataset["freshData"] = true },
                models: [
                    .init("uRNN, B = 0", "urnn") { $0.cell = "urnn" },
                    rnn("RNN from W = I", "identity-rnn", from: .identity), rnn("RNN", "rnn", from: .uniform),
                ], epochs: 80)
        }
        + [100, 300, 1000].map { delay in
            Task(
                label: "copying, T = \(delay)", id: "copying-t\(delay)", dataset: "copying", length: delay,
                edit: {
                    $0.useSplits(train: 1600, valid: 320, test: 320)
                    $0.activation = "modrelu"
                    $0.optimizer = "rmsprop"
                    $0.training.batchSize = 32
                    // Each model chooses its own rates, initialization and clipping.
                    $0.training.clipNorm = nil
                    $0.training.manifoldLearningRate = nil
                    $0.skewInit = "zero"
                },
                models: [
                    urnn("uRNN, rotations, B at a tenth of the rate", "urnn", rate: 1e-4),
                    urnn("uRNN, rotations, B at a tenth of the rate, clipped", "clipped-urnn", rate: 1e-4, clip: 1),
                    rnn(
                        "RNN from rotations, W at a tenth of the rate", "slow-rotations-rnn", from: .rotations,
                        rate: 1e-4),
                    rnn(
                        "RNN from rotations, W at a tenth of the rate, clipped", "clipped-rotations-rnn",
                        from: .rotations, rate: 1e-4, clip: 1),
                    urnn("uRNN, rotations, one rate", "fast-urnn", rate: 1e-3),
                    urnn("uRNN, rotations, one rate, clipped", "fast-clipped-urnn", rate: 1e-3, clip: 1),
                    rnn("RNN from rotations, one rate", "rotations-rnn", from: .rotations),
                    rnn(
                        "RNN from rotations, one rate, clipped", "fast-clipped-rotations-rnn", from: .rotations, clip: 1
                    ),
                    urnn("uRNN, B = 0, B at a tenth of the rate", "zero-urnn", from: "zero", rate: 1e-4),
                    rnn(
                        "RNN from an orthogonal W, W at a tenth of the rate", "slow-orthogonal-rnn", from: .orthogonal,
                        rate: 1e-4),
                    rnn("RNN from an orthogonal W, one rate", "orthogonal-rnn", from: .orthogonal),
                    rnn("RNN from W = I, one rate", "identity-rnn", from: .identity),
                    rnn("RNN, one rate", "rnn", from: .uniform),
                ], epochs: 20, delay: delay)
        }
        + [300, 1000].map { n in
            // `cli search` found these rates for the uRNN at N = 300.
            Task(
                label: "recall, N = \(n), small steps", id: "recall-slow-n\(n)", dataset: "recall", length: n,
                edit: {
                    $0.dataset["freshData"] = true
                    $0.model.dropout = 0
                    $0.schedule = "cosine"
                    $0.training.clipNorm = 1
                    $0.training.learningRate = 3e-4
                },
                models: [
                    urnn("uRNN, B = 0", "urnn", from: "zero", rate: 1e-5),
                    rnn("RNN from W = I, W at B's rate", "identity-rnn", from: .identity, rate: 1e-5),
                ], epochs: 120)
        }

    private func experiment(_ task: Task, _ model: ToyTask.Model, _ plan: Plan) -> Experiment {
        plan.experiment("constraint-\(task.id)-\(model.id)", on: task.dataset) {
            task.edit(&$0)
            $0.dataset["length"] = .integer(task.length)
            if plan.scale == .smoke {
                $0.useSplits(train: 300, valid: 100, test: 100)
                if task.delay != nil {
                    $0.dataset["length"] = .integer(task.length / 10)
                    $0.model.hiddenSize = 30
                }
            }
            model.edit(&$0, task.length)
            ($0.training.epochs, $0.tracking.trackGradients) =
                switch plan.scale {
                case .smoke: (2, 2)
                case .short: (task.epochs, 50)
                case .paper: (2 * task.epochs, 50)
                }
        }
    }

    func experiments(_ plan: Plan) -> [Experiment] {
        Self.tasks.flatMap { task in task.models.map { experiment(task, $0, plan) } }
    }

    func section(_ results: Results) -> Section {
        let isSmoke = results.plan.scale == .smoke
        var section = Section(
            self,
            [
                "The paper compares the uRNN with an RNN that starts elsewhere. Here RNNs start at an orthogonal matrix, too. Between the uRNN and the RNN from rotations, whose W starts at a matrix of the same kind and moves at the same rate, only the constraint is left."
                    + (isSmoke
                        ? " A few sequences, two epochs, copying at a tenth of T: too little to learn anything." : ""),
                "Recall: ReLU, H 50, Adam 1e-3, dropout 0.2 on the logits, 10,000 new sequences each epoch; with small steps: Adam 3e-4, B or W 1e-5 (by `cli search` for the uRNN at N = 300), cosine decay, gradients' norm clipped to 1, no dropout. Copying memory: modReLU, H 128, RMSprop 1e-3 (B or W: 1e-4 or 1e-3), batches of 32, 1,600 new sequences each epoch, clipped: the norm of all gradients to 1; the loss is per position, and a model without memory has 10 ln 8 / (T + 20): 0.173 at T = 100, 0.065 at T = 300, 0.0204 at T = 1000.",
                "At scale short recall has 80 epochs, with small steps 120, copying 20; twice as many at scale paper. Losses and norms are given as the smallest … the largest of the seeds. Norms are means over four sequences of the batch just trained; the plots show the first seed, shaded the uRNN's bounds.",
            ])
        var rows: [[String]] = []
        for task in Self.tasks {
            var figure = Figure(title: task.label, xLabel: "batch", yLabel: "‖∂x_T/∂x_1‖_F", isLogarithmic: true)
            for model in task.models {
                let records = results.of(experiment(task, model, results.plan))
                let norms = records.compactMap { $0.norms.isEmpty ? nil : $0.norms }
                let memoryless = task.delay.map { results.plan.scale.memorylessLoss(delay: $0) }
                let ratios = memoryless.map { base in
                    records.compactMap { $0.test.map { Format.range([$0.loss / base]) } }
                }
                rows.append([
                    task.label, model.label,
                    memoryless == nil ? Format.mean(records.compactMap { $0.test?.metric }, scale: 100) : "–",
                    ratios.map { $0.isEmpty ? "–" : $0.joined(separator: ", ") } ?? "–",
                    Format.range(records.compactMap { $0.test?.loss }),
                    records.epochs,
                    Format.range(norms.map { $0.first!.mean }), Format.range(norms.map { $0.last!.mean }),
                    Format.range(norms.map { $0.map(\.maximum).max()! }),
                    records.seeds,
                ])
                section.records += records
                let first = norms.first ?? []
                figure.curves.append(.init(model.label, first.map { .init(Double($0.step), $0.mean) }))
                if model.id == "urnn" {
                    figure.band = first.compactMap { norm in
                        norm.bounds.map { .init(x: Double(norm.step), low: $0.lowerBound, high: $0.upperBound) }
                    }
                }
            }
            if figure.hasPoints { section.plots.append(.init(name: "\(id)-\(task.id)", figure: figure)) }
        }
        section.tables = [
            .init(
                name: id,
                header: [
                    "task", "model", "accuracy %", "loss ÷ memoryless, by seed", "loss", "epochs", "norm at first",
                    "norm at last", "largest", "seeds",
                ], rows: rows)
        ]
        return section
    }
}
