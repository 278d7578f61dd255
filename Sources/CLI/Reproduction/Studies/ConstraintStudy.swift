/// Beyond the paper: what the constraint adds to the start W = I. The uRNN beside
/// the RNN that starts at W = I and is free to leave it, on sequences that grow, with
/// the gradient norms over training.
struct ConstraintStudy: Study {
    let id = "constraint"
    let title = "Beyond the paper: the constraint, or the start W = I?"

    private struct Task: Sendable {
        let label: String
        let id: String
        let options: [String]
        /// At scale smoke.
        let smoke: [String]
    }

    private static let tasks =
        [100, 300, 1000].map { n in
            Task(label: "recall, N = \(n)", id: "recall-n\(n)", options: ["--dataset", "recall", "--length", "\(n)"], smoke: [])
        } + [
            Task(label: "copying, T = 200", id: "copying-t200", options: ["--dataset", "copying", "--length", "200"], smoke: ["--hidden-size", "30"])
        ]
    private static let models = [
        ("uRNN", "urnn", ["--cell", "urnn"]),
        ("RNN from W = I", "identity-rnn", ["--cell", "rnn", "--recurrent-init", "identity"]),
        ("RNN", "rnn", ["--cell", "rnn"]),
    ]

    private static func effort(_ task: Task, _ scale: Scale) -> [String] {
        switch scale {
        case .smoke:
            ["--train-size", "300", "--valid-size", "100", "--test-size", "100", "--epochs", "2", "--track-gradients", "2"] + task.smoke
        case .short: ["--epochs", "40", "--track-gradients", "50"]
        case .paper: ["--epochs", "200", "--track-gradients", "100"]
        }
    }

    private func experiment(_ task: Task, _ model: (String, String, [String]), _ scale: Scale) -> Experiment {
        Experiment("constraint-\(task.id)-\(model.1)", task.options + model.2 + Self.effort(task, scale))
    }

    func experiments(_ plan: Plan) -> [Experiment] {
        Self.tasks.flatMap { task in Self.models.map { experiment(task, $0, plan.scale) } }
    }

    func section(_ results: Results) -> Section {
        var section = Section(
            self,
            [
                "The paper compares the uRNN with an RNN that starts elsewhere. Here both start at W = I; what is left between them is the constraint. Learning rate 1e-3, 10,000 training sequences (smoke: 300), ReLU; copying memory with 128 units, new sequences each epoch, loss per position.",
                "Norms are means over four sequences of the batch just trained; the plots show the first seed, shaded the uRNN's bounds.",
            ])
        var rows: [[String]] = []
        for task in Self.tasks {
            var figure = Figure(title: task.label, xLabel: "batch", yLabel: "‖∂x_T/∂x_1‖_F", isLogarithmic: true)
            for model in Self.models {
                let records = results.of(experiment(task, model, results.plan.scale))
                let norms = records.compactMap { $0.norms.isEmpty ? nil : $0.norms }
                rows.append([
                    task.label, model.0, Format.mean(records.compactMap { $0.test?.metric }, scale: 100),
                    Format.mean(records.compactMap { $0.test?.loss }, digits: 4),
                    Format.mean(records.map { Double($0.valid.count) }, digits: 0),
                    Format.mean(norms.map { $0.first!.mean }, digits: 4), Format.mean(norms.map { $0.last!.mean }, digits: 4),
                    Format.mean(norms.map { $0.map(\.maximum).max()! }, digits: 4),
                    "\(records.count)" + (records.contains { $0.completion.status != 0 } ? " (diverged)" : ""),
                ])
                section.records += records
                guard let first = norms.first else { continue }
                figure.curves.append(.init(model.0, first.map { .init(Double($0.step), $0.mean) }))
                if model.1 == "urnn" {
                    figure.band = first.compactMap { norm in
                        norm.bounds.map { .init(x: Double(norm.step), low: $0.lowerBound, high: $0.upperBound) }
                    }
                }
            }
            if !figure.curves.isEmpty { section.plots.append(.init(name: "\(id)-\(task.id)", figure: figure)) }
        }
        section.tables = [
            .init(
                name: id,
                header: ["task", "model", "accuracy %", "loss", "epochs", "norm at first", "norm at last", "largest", "seeds"], rows: rows)
        ]
        return section
    }
}
