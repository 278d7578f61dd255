import RecurrentCore

/// The table at the end of a run, or of several.
enum SummaryTable {
    static func text(_ runs: [(options: RunConfiguration, summary: TrainingSummary)], metric: DatasetDescription.Metric) -> String {
        func value(_ sums: LossSums?) -> String {
            guard let sums else { return "–" }
            return metric.text(sums)
        }
        func loss(_ sums: LossSums?) -> String { sums.map { Terminal.number($0.meanLoss) } ?? "–" }
        let rows = runs.map { run -> [String] in
            let best = run.summary.best
            return [
                run.options.cell, "\(best?.epoch ?? 0) of \(run.summary.epochs.count)", loss(best?.train),
                loss(best?.validation), value(best?.validation), loss(run.summary.test), value(run.summary.test),
                Terminal.time(run.summary.seconds), reason(run.summary.end),
            ]
        }
        let name = metric.label
        return Terminal.table(
            ["cell", "best epoch", "train loss", "valid loss", "valid \(name)", "test loss", "test \(name)", "time", "ended by"],
            rows)
    }

    static func reason(_ end: TrainingEnd) -> String {
        switch end {
        case .epochs: "all epochs"
        case .patience(let epochs): "no better for \(epochs) epochs"
        case .lossReached(let bound): "valid loss < \(bound)"
        case .interrupted: "interrupted"
        case .diverged(let step, _): "diverged at step \(step)"
        }
    }

    /// What to judge the losses by; nil for a data set that has nothing to say.
    static func baseline(_ data: DatasetDescription) -> String? {
        data.baseline.map { "\($0.name): loss \(Terminal.number($0.loss))" }
    }

    /// What the figures depend on, in one line: what every run has, and what differs
    /// from the data set's defaults.
    static func settings(_ o: RunConfiguration) throws -> String {
        let data = try Registry.current.dataset(o.dataset)
        let own = data.settings(o)
        var parts = [o.dataset + (own.isEmpty ? "" : " \(own)")]
        let embedding = data.options.contains(.embeddingSize) ? "E \(o.embeddingSize) " : ""
        parts.append("\(embedding)H \(o.hiddenSize)\(o.layers > 1 ? " × \(o.layers)" : "") B \(o.batchSize)")
        if let activation = o.activation { parts.append(activation) }
        parts.append("\(o.optimizer) \(o.learningRate)")
        parts.append(o.dropout > 0 ? "dropout \(o.dropout) on \(o.dropoutOn.map(\.rawValue).joined(separator: "+"))" : "no dropout")
        parts.append("skew \(o.skewInit), recurrent \(o.recurrentInit.rawValue), \(o.manifold)")
        if let clip = o.clipRecurrent { parts.append("clip \(clip)") }
        parts += try others(o, than: data)
        parts.append("seed \(o.seed), \(o.backend)\(o.precision == .fp32 ? "" : " \(o.precision.rawValue)")")
        return parts.joined(separator: "; ")
    }

    /// Named above or in the table, or without influence on the figures.
    private static let told: Set<String> = [
        "activation", "backend", "batchSize", "cell", "checkpointEvery", "clipRecurrent", "data", "dataset", "device", "dropout",
        "dropoutOn", "embeddingSize", "hiddenSize", "layers", "learningRate", "manifold", "optimizer", "precision",
        "recurrentInit", "seed", "skewInit", "tensorboard", "threads", "trackEpochs", "trackGradients", "trackTest", "version",
    ]
    /// Left to a data set that has words of its own.
    private static let toldByData: Set<String> = [
        "bptt", "classes", "freshData", "k", "length", "permutationSeed", "symbols", "trainSize",
    ]

    private static func others(_ o: RunConfiguration, than data: DatasetPlugin) throws -> [String] {
        let known = data.settings(o).isEmpty ? told : told.union(toldByData)
        return try data.standard.changes(to: o).filter { !known.contains($0.key) }.map { change in
            change.option.dropFirst(2) + (change.new == "true" ? "" : " \(change.new ?? "none")")
        }
    }
}
