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

    /// What the figures depend on, in one line.
    static func settings(_ o: RunConfiguration) -> String {
        var parts = [o.dataset]
        switch o.dataset {
        case "recall": parts[0] += " N \(o.length) M \(o.symbols), \(o.trainSize)\(o.freshData ? " fresh" : "") sequences"
        case "kth-largest": parts[0] += " N \(o.length) k \(o.k), \(o.trainSize)\(o.freshData ? " fresh" : "") sequences"
        case "copying", "adding": parts[0] += " T \(o.length), \(o.trainSize)\(o.freshData ? " fresh" : "") sequences"
        default: if o.data != nil { parts[0] += " BPTT \(o.bptt)" }
        }
        parts.append("E \(o.embeddingSize) H \(o.hiddenSize)\(o.layers > 1 ? " × \(o.layers)" : "") B \(o.batchSize)")
        if let activation = o.activation { parts.append(activation) }
        parts.append("\(o.optimizer) \(o.learningRate)")
        parts.append("dropout \(o.dropout) on \(o.dropoutOn.map(\.rawValue).joined(separator: "+"))")
        parts.append("skew \(o.skewInit), recurrent \(o.recurrentInit.rawValue), \(o.manifold)")
        if let clip = o.clipRecurrent { parts.append("clip \(clip)") }
        parts.append("seed \(o.seed), \(o.backend)\(o.precision == .fp32 ? "" : " \(o.precision.rawValue)")")
        return parts.joined(separator: "; ")
    }
}
