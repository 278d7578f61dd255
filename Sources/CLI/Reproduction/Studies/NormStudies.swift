import Foundation
import RecurrentCore
import RecurrentRuns

/// Table 6: the bounds of the gradient norm, and the norms measured in training.
struct BoundsTable: Study {
    let id = "table6"
    let title = "Table 6: bounds of ‖∂x_T/∂x_1‖_F, and the norms measured in training"

    private static let paper = ["abs": ("10", "10"), "relu": ("0", "14.14"), "leaky-relu": ("9.3e-10", "14.14")]

    func experiments(_ plan: Plan) -> [Experiment] { ActivationTable().experiments(plan) }

    func section(_ results: Results) -> Section {
        var section = Section(
            self,
            [
                LanguageTask.settings(results.plan),
                "T = 30, so 29 steps from x_1 to x_T. Measured: the smallest and the largest norm of four sequences of a batch, taken \(LanguageTask.interval(results.plan.scale) == 1 ? "after every batch" : "every \(LanguageTask.interval(results.plan.scale)) batches\(LanguageTask.alsoTracked(results.plan.scale))") from the first to the last epoch, over all seeds; and by how much, relative to the bound, the uRNN was beyond its bounds at most (Float32 rounds by about 1e-6). The bounds hold for the uRNN; the RNN stands beside it. The paper's lower bound for Leaky ReLU lacks the factor √H and takes 30 steps.",
            ])
        var rows: [[String]] = []
        for activation in LanguageTask.activations {
            let width = LanguageTask.width(activation, results.plan.scale)
            let bounds = GradientBounds(slopes: activation.slopes, singularValues: 1...1, width: width)
                .frobeniusNorm(after: LanguageTask.bptt - 1)
            var row = [activation.label, "\(width)", Self.paper[activation.id]!.0, Self.paper[activation.id]!.1]
            row += [bounds.lowerBound, bounds.upperBound].map { Format.number($0, digits: 4) }
            for (_, cell) in LanguageTask.cells.reversed() {
                let records = results.of(LanguageTask.experiment(cell: cell, activation, results.plan))
                let norms = records.flatMap(\.norms)
                row.append(norms.range)
                section.records += records
            }
            let norms = results.of(LanguageTask.experiment(cell: "urnn", activation, results.plan)).flatMap(\.norms)
            let excess = norms.compactMap { norm in norm.bounds.map { norm.excess(over: $0) } }.max()
            row.append(excess.map { $0 == 0 ? "0" : Format.number($0) } ?? "–")
            rows.append(row)
        }
        section.tables = [
            .init(
                name: id,
                header: [
                    "activation", "H", "paper: lower", "paper: upper", "lower", "upper", "uRNN measured",
                    "RNN measured", "uRNN beyond",
                ],
                rows: rows)
        ]
        return section
    }
}

extension RunRecord.Norm {
    /// Returns how far the norms lie outside the bounds, relative to the bound; 0 if they lie inside.
    func excess(over bounds: ClosedRange<Double>) -> Double {
        let below = bounds.lowerBound > 0 ? (bounds.lowerBound - minimum) / bounds.lowerBound : 0
        return max(0, below, (maximum - bounds.upperBound) / bounds.upperBound)
    }
}

extension [RunRecord.Norm] {
    /// The smallest and the largest norm as text, separated by “…”.
    var range: String {
        guard let low = map(\.minimum).min(), let high = map(\.maximum).max() else { return "–" }
        return Format.number(low, digits: 5) + " … " + Format.number(high, digits: 5)
    }
}

/// Figure 4: the gradient norms over the course of training.
struct NormFigure: Study {
    let id = "figure4"
    let title = "Figure 4: ‖∂x_T/∂x_1‖_F over training"

    private var activations: [LanguageTask.Activation] { LanguageTask.activations + [LanguageTask.nearLinear] }

    func experiments(_ plan: Plan) -> [Experiment] {
        activations.flatMap { activation in
            LanguageTask.cells.map { LanguageTask.experiment(cell: $0.1, activation, plan) }
        }
    }

    func section(_ results: Results) -> Section {
        var section = Section(
            self,
            [
                LanguageTask.settings(results.plan),
                "Means over four sequences of the batch that was just trained, from the first batch to the last, and after every batch of the epochs that have a plot of their own (the paper's: 7 and 100). Shaded: the uRNN's bounds. Norms below 1e-12 are drawn at 1e-12. The first seed is drawn.",
            ])
        var rows: [[String]] = []
        for activation in activations {
            var norms: [(cell: String, norms: [RunRecord.Norm])] = []
            for (label, cell) in LanguageTask.cells.reversed() {
                let records = results.of(LanguageTask.experiment(cell: cell, activation, results.plan))
                section.records += records
                norms.append((label, records.first?.norms ?? []))
                guard let start = norms.last?.norms.first, let end = norms.last?.norms.last else { continue }
                rows.append(
                    [activation.label, label]
                        + [start, end].flatMap { ["\($0.step)", Format.number($0.mean, digits: 5)] })
            }
            section.plots += Self.plots(
                "\(id)-\(activation.id)",
                title: "\(activation.label), H = \(LanguageTask.width(activation, results.plan.scale))", norms,
                epochs: LanguageTask.epochsShown(results.plan.scale))
        }
        section.tables = [
            .init(name: id, header: ["activation", "model", "first batch", "norm", "last batch", "norm"], rows: rows)
        ]
        return section
    }

    /// Returns a plot of all of training, and one of each epoch in which every batch was measured; none without points.
    static func plots(
        _ name: String, title: String, _ norms: [(cell: String, norms: [RunRecord.Norm])], epochs: [Int]
    ) -> [Section.Plot] {
        let whole = Section.Plot(name: name, figure: figure(title, norms))
        let parts = epochs.map { epoch in
            Section.Plot(
                name: "\(name)-epoch\(epoch)",
                figure: figure(
                    "\(title), epoch \(epoch)", norms.map { ($0.cell, $0.norms.filter { $0.epoch == epoch }) }))
        }
        return ([whole] + parts).filter(\.figure.hasPoints)
    }

    /// Returns a figure of the norms, in which the bounds of the first cell are shaded.
    private static func figure(_ title: String, _ norms: [(cell: String, norms: [RunRecord.Norm])]) -> Figure {
        var figure = Figure(title: title, xLabel: "batch", yLabel: "‖∂x_T/∂x_1‖_F", isLogarithmic: true)
        figure.curves = norms.map { cell, norms in .init(cell, norms.map { .init(Double($0.step), $0.mean) }) }
        figure.band = (norms.first?.norms ?? []).compactMap { norm in
            norm.bounds.map { .init(x: Double(norm.step), low: $0.lowerBound, high: $0.upperBound) }
        }
        return figure
    }
}

/// Figure 3: text generated by a uRNN.
struct TextFigure: Study {
    let id = "figure3"
    let title = "Figure 3: text written by the uRNN"

    private func experiment(_ plan: Plan) -> Experiment {
        LanguageTask.experiment(cell: "urnn", LanguageTask.activations[1], plan)
    }
    func experiments(_ plan: Plan) -> [Experiment] { [experiment(plan)] }

    func section(_ results: Results) throws -> Section {
        var section = Section(
            self,
            [
                LanguageTask.settings(results.plan),
                "The paper's, by greedy decoding: “this talk would the most important guidelines by now for our benefit capital which makes about N N of the key machines related a rate for customer democrats morning while …”",
            ])
        section.records = Array(results.of(experiment(results.plan)).prefix(1))
        if let record = section.records.first {
            for (title, name, options) in [
                ("greedy", "greedy", ["--greedy"]), ("drawn, temperature 1, seed 1", "drawn", ["--seed", "1"]),
            ] {
                if let text = try results.text(of: record, named: name, options) { section.texts.append((title, text)) }
            }
        }
        return section
    }
}

extension Results {
    /// Returns text that a run's model generates; nil if both the weights and a text kept earlier are missing.
    ///
    /// The text is kept in the run's folder, so that a report can be made again without the weights.
    fileprivate func text(of record: RunRecord, named name: String, _ options: [String]) throws -> String? {
        let file = "\(record.folder)/\(name).txt"
        guard FileManager.default.fileExists(atPath: record.folder + "/model.safetensors") else {
            let kept = try FileReader.contents(ifThere: file)
            return kept.map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .newlines) }
        }
        let text = try runTool(["generate", record.folder, "--words", "50"] + options)
        try AtomicFile.write(text + "\n", to: file)
        return text
    }
}
