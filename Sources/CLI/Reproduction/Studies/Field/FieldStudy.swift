import RecurrentCore
import RecurrentRuns

/// A study beyond the paper: the cells and constraints that the field compares with, on one budget of parameters and
/// updates.
struct FieldStudy: Study {
    let id = "field"
    let title = "Beyond the paper: the cells and constraints of the field"

    func experiments(_ plan: Plan) -> [Experiment] {
        FieldTask.all(plan).flatMap { task in FieldModel.chosen(plan).map { task.experiment($0, plan) } }
    }

    func section(_ results: Results) throws -> Section {
        let plan = results.plan, tasks = FieldTask.all(plan), models = FieldModel.chosen(plan)
        var section = Section(self, notes(plan))
        var rows: [[String]] = []
        for model in models {
            let records = tasks.map { results.of($0.experiment(model, plan)) }
            section.records += records.joined()
            rows.append(
                [
                    model.label, "\(model.width(plan.scale))",
                    "\(try model.freeParameters(width: model.width(plan.scale), plan.registry))",
                ]
                    + zip(tasks, records).map { $0.result($1, plan.scale) } + [Self.seeds(records)])
        }
        section.tables = [
            .init(name: id, header: ["model", "H", "parameters"] + tasks.map(\.column) + ["runs"], rows: rows)
        ]
        if plan.images != nil { section.tables.append(publishedTable(results, models)) }
        for group in FieldModel.Group.allCases {
            let members = models.filter { $0.groups.contains(group) }
            section.plots += tasks.map { learning($0, members, group, results) }
            section.plots.append(try depth(members, group, results))
        }
        section.plots.removeAll { !$0.figure.hasPoints }
        return section
    }

    private func notes(_ plan: Plan) -> [String] {
        let effort =
            switch plan.scale {
            case .smoke:
                "Here a few sequences, a tenth of the lengths, a quarter of the widths, two epochs: too little to learn anything."
            case .short: "1,000 updates for recall and copying, 3,000 for adding, 30 epochs of digits."
            case .paper: "2,000 updates for recall and copying, 6,000 for adding, 60 epochs of digits."
            }
        let images =
            plan.images == nil
            ? "Digits are left out: `MNIST_DIR` names no folder of images (`scripts/mnist-subset FOLDER` makes one)."
            : "Digits: the images in `MNIST_DIR`. `scripts/mnist-subset` makes a folder of 4,000 of MNIST's 60,000 training images and 1,000 to test; accuracies on such a subset are far below those on the full set, so that published numbers stand beside them for orientation only."
        return [
            "Every model has the width H at which its recurrent layer has about \(FieldModel.budget) free parameters\(plan.scale == .smoke ? " (at scale smoke a quarter of this width)" : ""): n(n − 1)/2 for an orthogonal weight of width n, n² for a unitary one, for products of factors those of the factors. All get the same data in the same number of updates, with RMSprop, the learning rates that `field-search` marks as used, batches of 32 new sequences (digits: 50), the norm of all gradients clipped to 1. \(effort)",
            images,
            "Results are means ± standard deviations over the seeds, or the smallest … the largest. A model without memory has a loss ratio of 1, always answering 1 a squared error of 0.167. A run that diverged has no result and is counted with the runs.",
            "Plots: the test metric of the first seed by updates; and ‖∂h_t/∂h_1‖₂ of the trained model over t − 1 steps on copying at T = 300, of all its states together, as the mean over four sequences.",
        ]
    }

    /// Returns how many runs there are, and how many of them diverged.
    private static func seeds(_ records: [[RunRecord]]) -> String { records.flatMap { $0 }.seeds }

    private func publishedTable(_ results: Results, _ models: [FieldModel]) -> Section.Table {
        let rows = models.compactMap { model -> [String]? in
            guard let published = model.published else { return nil }
            let own = FieldTask.digits.map {
                $0.result(results.of($0.experiment(model, results.plan)), results.plan.scale)
            }
            func text(_ accuracy: Double?) -> String { accuracy.map { Format.number($0) } ?? "–" }
            return [
                model.label, own[0], text(published.sequential), own[1], text(published.permuted), published.source,
            ]
        }
        return .init(
            name: "\(id)-digits",
            header: [
                "model", "sequential, subset: accuracy %", "published, full MNIST", "permuted, subset: accuracy %",
                "published, full MNIST", "source",
            ], rows: rows)
    }

    /// Returns a plot of the test metric over the updates.
    private func learning(
        _ task: FieldTask, _ models: [FieldModel], _ group: FieldModel.Group, _ results: Results
    ) -> Section.Plot {
        var figure = Figure(
            title: "\(task.label): \(group.rawValue)", xLabel: "updates", yLabel: task.score.axis,
            isLogarithmic: task.score.isLogarithmic)
        figure.curves = models.map { model in
            let lines = results.of(task.experiment(model, results.plan)).first?.tests ?? []
            return .init(model.label, lines.map { .init(Double($0.step), task.score.value($0, results.plan.scale)) })
        }
        return .init(name: "\(id)-\(task.id)-\(group.rawValue)", figure: figure)
    }

    /// Returns a plot of the operator norms of the gradients over the number of steps that they go back.
    private func depth(
        _ models: [FieldModel], _ group: FieldModel.Group, _ results: Results
    ) throws -> Section.Plot {
        let task = FieldTask.copying(300)
        var figure = Figure(
            title: "\(task.label), trained: \(group.rawValue)", xLabel: "steps", yLabel: "‖∂h_t/∂h_1‖₂",
            isLogarithmic: true)
        figure.curves = try models.map { model in
            let record = results.of(task.experiment(model, results.plan)).first
            return .init(model.label, try record.map { try GradientDepth.points(of: $0, results) } ?? [])
        }
        return .init(name: "\(id)-depth-\(group.rawValue)", figure: figure)
    }
}

extension FieldTask.Score {
    /// The label of the axis on which the score is drawn.
    fileprivate var axis: String {
        switch self {
        case .accuracy: "accuracy %"
        case .lossRatio: "loss ÷ memoryless"
        case .squaredError: "squared error"
        }
    }
    fileprivate var isLogarithmic: Bool { if case .accuracy = self { false } else { true } }

    fileprivate func value(_ line: RunRecord.Line, _ scale: Scale) -> Double {
        switch self {
        case .accuracy: 100 * line.metric
        case .lossRatio(let delay): line.loss / scale.memorylessLoss(delay: delay)
        case .squaredError: line.loss
        }
    }
}
