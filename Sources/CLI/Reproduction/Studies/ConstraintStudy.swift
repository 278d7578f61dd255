import RecurrentCore

/// Beyond the paper: what the constraint adds to its start and its rate. The uRNN
/// beside RNNs that start at an orthogonal matrix (also at matrices of the uRNN's own
/// kind, at its rates, with clipping) and are free to leave it, on sequences that
/// grow, with the gradient norms over training.
struct ConstraintStudy: Study {
    let id = "constraint"
    let title = "Beyond the paper: the constraint, or the start?"

    private struct Task: Sendable {
        let label: String
        let id: String
        /// The data set and its sizes; others at scale smoke.
        let data, smokeData: [String]
        /// Of all its models.
        let options: [String]
        let models: [ToyTask.Model]
        /// At scale short; twice as many at scale paper.
        let epochs: Int
        /// Of copying memory.
        var delay: Int? = nil

        /// The loss of a copying model without memory.
        func memoryless(_ scale: Scale) -> Double? {
            delay.map { 10 * RealFunctions.log(8) / Double((scale == .smoke ? $0 / 10 : $0) + 20) }
        }
    }

    private static let smokeSizes = ["--train-size", "300", "--valid-size", "100", "--test-size", "100"]

    private static let clip = ["--clip-norm", "1"]

    private static func rnn(_ label: String, _ id: String, from start: String, _ more: [String] = []) -> ToyTask.Model {
        .init(label: label, id: id, options: ["--cell", "rnn", "--recurrent-init", start] + more)
    }

    private static func urnn(_ label: String, _ id: String, rate: String, _ more: [String] = []) -> ToyTask.Model {
        .init(label: label, id: id, options: ["--cell", "urnn", "--skew-init", "henaff", "--manifold-learning-rate", rate] + more)
    }

    private static func slow(_ label: String, _ id: String, from start: String, _ more: [String] = []) -> ToyTask.Model {
        .init(label: label, id: id, options: ["--cell", "rnn", "--recurrent-init", start, "--recurrent-learning-rate", "0.0001"] + more)
    }

    private static let tasks: [Task] = [100, 300].map { n in
        Task(
            label: "recall, N = \(n)", id: "recall-n\(n)",
            data: ["--dataset", "recall", "--length", "\(n)"],
            smokeData: ["--dataset", "recall", "--length", "\(n)"] + smokeSizes,
            options: ["--fresh-data"],
            models: [
                .init(label: "uRNN, B = 0", id: "urnn", options: ["--cell", "urnn"]),
                rnn("RNN from W = I", "identity-rnn", from: "identity"), rnn("RNN", "rnn", from: "uniform"),
            ], epochs: 80)
    } + [100, 300, 1000].map { delay in
        Task(
            label: "copying, T = \(delay)", id: "copying-t\(delay)",
            data: [
                "--dataset", "copying", "--length", "\(delay)", "--train-size", "1600", "--valid-size", "320", "--test-size", "320",
            ],
            smokeData: ["--dataset", "copying", "--length", "\(delay / 10)", "--hidden-size", "30"] + smokeSizes,
            options: ["--activation", "modrelu", "--optimizer", "rmsprop", "--batch-size", "32"],
            models: [
                urnn("uRNN, rotations, B at a tenth of the rate", "urnn", rate: "0.0001"),
                urnn("uRNN, rotations, B at a tenth of the rate, clipped", "clipped-urnn", rate: "0.0001", clip),
                slow("RNN from rotations, W at a tenth of the rate", "slow-rotations-rnn", from: "rotations"),
                slow("RNN from rotations, W at a tenth of the rate, clipped", "clipped-rotations-rnn", from: "rotations", clip),
                urnn("uRNN, rotations, one rate", "fast-urnn", rate: "0.001"),
                urnn("uRNN, rotations, one rate, clipped", "fast-clipped-urnn", rate: "0.001", clip),
                rnn("RNN from rotations, one rate", "rotations-rnn", from: "rotations"),
                rnn("RNN from rotations, one rate, clipped", "fast-clipped-rotations-rnn", from: "rotations", clip),
                .init(
                    label: "uRNN, B = 0, B at a tenth of the rate", id: "zero-urnn",
                    options: ["--cell", "urnn", "--manifold-learning-rate", "0.0001"]),
                slow("RNN from an orthogonal W, W at a tenth of the rate", "slow-orthogonal-rnn", from: "orthogonal"),
                rnn("RNN from an orthogonal W, one rate", "orthogonal-rnn", from: "orthogonal"),
                rnn("RNN from W = I, one rate", "identity-rnn", from: "identity"),
                rnn("RNN, one rate", "rnn", from: "uniform"),
            ], epochs: 20, delay: delay)
    } + [300, 1000].map { n in
        // The rates are what `cli search` found for the uRNN at N = 300.
        Task(
            label: "recall, N = \(n), small steps", id: "recall-slow-n\(n)",
            data: ["--dataset", "recall", "--length", "\(n)"],
            smokeData: ["--dataset", "recall", "--length", "\(n)"] + smokeSizes,
            options: ["--fresh-data", "--dropout", "0", "--schedule", "cosine", "--clip-norm", "1", "--learning-rate", "0.0003"],
            models: [
                .init(label: "uRNN, B = 0", id: "urnn", options: ["--cell", "urnn", "--manifold-learning-rate", "0.00001"]),
                .init(
                    label: "RNN from W = I, W at B's rate", id: "identity-rnn",
                    options: ["--cell", "rnn", "--recurrent-init", "identity", "--recurrent-learning-rate", "0.00001"]),
            ], epochs: 120)
    }

    private func experiment(_ task: Task, _ model: ToyTask.Model, _ scale: Scale) -> Experiment {
        let data = scale == .smoke ? task.smokeData : task.data
        let effort: (epochs: Int, interval: Int) =
            switch scale {
            case .smoke: (2, 2)
            case .short: (task.epochs, 50)
            case .paper: (2 * task.epochs, 50)
            }
        return Experiment(
            "constraint-\(task.id)-\(model.id)",
            data + task.options + model.options + ["--epochs", "\(effort.epochs)", "--track-gradients", "\(effort.interval)"])
    }

    func experiments(_ plan: Plan) -> [Experiment] {
        Self.tasks.flatMap { task in task.models.map { experiment(task, $0, plan.scale) } }
    }

    func section(_ results: Results) -> Section {
        let isSmoke = results.plan.scale == .smoke
        var section = Section(
            self,
            [
                "The paper compares the uRNN with an RNN that starts elsewhere. Here RNNs start at an orthogonal matrix, too. Between the uRNN and the RNN from rotations, whose W starts at a matrix of the same kind and moves at the same rate, only the constraint is left."
                    + (isSmoke ? " A few sequences, two epochs, copying at a tenth of T: too little to learn anything." : ""),
                "Recall: ReLU, H 50, Adam 1e-3, dropout 0.2 on the logits, 10,000 new sequences each epoch; with small steps: Adam 3e-4, B or W 1e-5 (by `cli search` for the uRNN at N = 300), cosine decay, gradients' norm clipped to 1, no dropout. Copying memory: modReLU, H 128, RMSprop 1e-3 (B or W: 1e-4 or 1e-3), batches of 32, 1,600 new sequences each epoch, clipped: the norm of all gradients to 1; the loss is per position, and a model without memory has 10 ln 8 / (T + 20): 0.173 at T = 100, 0.065 at T = 300, 0.0204 at T = 1000.",
                "At scale short recall has 80 epochs, with small steps 120, copying 20; twice as many at scale paper. Losses and norms are given as the smallest … the largest of the seeds. Norms are means over four sequences of the batch just trained; the plots show the first seed, shaded the uRNN's bounds.",
            ])
        var rows: [[String]] = []
        for task in Self.tasks {
            var figure = Figure(title: task.label, xLabel: "batch", yLabel: "‖∂x_T/∂x_1‖_F", isLogarithmic: true)
            for model in task.models {
                let records = results.of(experiment(task, model, results.plan.scale))
                let norms = records.compactMap { $0.norms.isEmpty ? nil : $0.norms }
                let memoryless = task.memoryless(results.plan.scale)
                let ratios = memoryless.map { base in records.compactMap { $0.test.map { Format.range([$0.loss / base]) } } }
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
                header: ["task", "model", "accuracy %", "loss ÷ memoryless, by seed", "loss", "epochs", "norm at first", "norm at last", "largest", "seeds"], rows: rows)
        ]
        return section
    }
}
