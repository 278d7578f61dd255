import RecurrentCore
import RecurrentRuns

/// The table that is printed at the end of one or more runs.
enum SummaryTable {
    static func text(_ runs: [(name: String, summary: TrainingSummary)], metric: DatasetDescription.Metric) -> String {
        func value(_ sums: LossSums?) -> String { sums.map(metric.text) ?? "–" }
        func loss(_ sums: LossSums?) -> String { sums.map { Format.fixed($0.meanLoss) } ?? "–" }
        let rows = runs.map { run -> [String] in
            let best = run.summary.best
            return [
                run.name, "\(best?.epoch ?? 0) of \(run.summary.epochs.count)", loss(best?.train),
                loss(best?.validation), value(best?.validation), loss(run.summary.test), value(run.summary.test),
                Format.time(run.summary.seconds), reason(run.summary.end),
            ]
        }
        let name = metric.label
        return Terminal.table(
            [
                "cell", "best epoch", "train loss", "valid loss", "valid \(name)", "test loss", "test \(name)", "time",
                "ended by",
            ],
            rows)
    }

    /// Returns why a run ended, as the table shows it.
    static func reason(_ end: TrainingEnd) -> String {
        switch end {
        case .epochs: "all epochs"
        case .patience(let epochs): "no better for \(epochs) epochs"
        case .lossReached(let bound): "valid loss < \(bound)"
        case .interrupted: "interrupted"
        case .diverged(let step, _): "diverged at step \(step)"
        }
    }

    /// Returns a line about the loss to compare with; nil for a data set without a baseline.
    static func baseline(_ data: DatasetDescription) -> String? {
        data.baseline.map { "\($0.name): loss \(Format.fixed($0.loss))" }
    }

    /// Returns the settings that several runs share, in one line, and a line for each run with settings of its own.
    static func settings(_ runs: [(name: String, configuration: RunConfiguration)]) throws -> [String] {
        let all = try runs.map { (name: $0.name, parts: try parts($0.configuration, registry: .current)) }
        let shared = (all.first?.parts ?? []).filter { part in all.allSatisfy { $0.parts.contains(part) } }
        return [shared.joined(separator: "; ")]
            + all.compactMap { name, parts in
                let own = parts.filter { !shared.contains($0) }
                return own.isEmpty ? nil : "\(name): \(own.joined(separator: "; "))"
            }
    }

    /// Returns the learning rate, and that of B if it has its own.
    static func rates(_ c: RunConfiguration) -> String {
        let rate = OptionValue.number(c.training.learningRate).text
        return rate + (c.training.manifoldLearningRate.map { " (skew B \(OptionValue.number($0).text))" } ?? "")
    }

    /// Returns the settings that the results depend on: those that are always shown, and those that differ
    /// from the defaults of the data set.
    private static func parts(_ c: RunConfiguration, registry: Registry) throws -> [String] {
        let plugin = registry.plugins(.dataset).first { $0.name == c.dataset.name }
        let incidental = c.incidental(registry)
        let own = (plugin?.options ?? []).compactMap { option -> String? in
            guard let value = c.dataset[option.name], value != .flag(false), value != .null,
                !incidental.contains(option.name)
            else { return nil }
            let name = Flags.flag(option.name)
            return value == .flag(true) ? name : "\(name) \(value.text)"
        }
        let model = c.model, training = c.training
        var parts = [([c.dataset.name] + own).joined(separator: " ")]
        if let from = c.from { parts.append("from \(from)") }
        // What the table names, and what has no effect on the results.
        var told = Set(TrackingConfiguration.options.map(\.name) + ["checkpointEvery"])
        func tell(_ text: String, _ options: String...) {
            parts.append(text)
            told.formUnion(options)
        }
        let embedding = registry.hasTokenInputs(c.dataset.name) ? "E \(model.embeddingSize) " : ""
        tell(
            "\(embedding)H \(model.hiddenSize)\(model.layers > 1 ? " × \(model.layers)" : "") B \(training.batchSize)",
            "embeddingSize", "hiddenSize", "layers", "batchSize")
        if let activation = c.activation { tell(activation.name, "activation") }
        tell("\(c.optimizer.name) \(rates(c))", "optimizer", "learningRate", "manifoldLearningRate")
        tell(
            model.dropout > 0
                ? "dropout \(OptionValue.number(model.dropout).text) on \(ModelConfiguration.DropoutPlace.allCases.filter(model.dropoutPlaces.contains).map(\.rawValue).joined(separator: "+"))"
                : "no dropout", "dropout", "dropoutOn")
        if let manifold = c.manifold {
            // The weights of another run bring their own B.
            let hasStart = try c.from == nil && registry.makeManifold(c).traits.startsFromSkew
            let start = hasStart ? " from B \(c.skewInit?.name ?? "zero")" : ""
            tell(manifold.name + start, "manifold", "skewInit")
        }
        tell("at most \(training.epochs) epoch\(training.epochs == 1 ? "" : "s")", "epochs")
        let skipped = told.union(incidental).union((plugin?.options ?? []).map(\.name)).union(["seed", "backend"])
        let rest = try registry.arguments(c, without: skipped).dropFirst(4)
        var others: [String] = []
        for word in rest {
            if word.hasPrefix("--") {
                others.append(String(word.dropFirst(2)))
            } else {
                others[others.count - 1] += " " + word
            }
        }
        parts += others
        parts.append("seed \(c.seed), \(c.backend.name)")
        return parts
    }
}
