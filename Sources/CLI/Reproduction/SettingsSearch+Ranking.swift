import Foundation
import RecurrentCore
import RecurrentRuns

extension SettingsSearch {
    /// The results of the runs of a point.
    public struct Outcome: Sendable {
        /// The values of the point, in the order of the axes.
        public let point: [String]
        /// The experiment that was trained; under successive halving, the one of the last round that it reached. Nil for
        /// a point that can't be run.
        public let experiment: Experiment?
        /// The finished runs, one for each seed.
        public let records: [RunRecord]
        /// The best validation loss, averaged over the seeds; infinite if a run diverged or failed.
        public let loss: Double
        /// Why a run failed, or can't be run; nil if none did.
        public let failure: String?
        /// The number of epochs that the runs were to have, which is lower for points that successive halving dropped.
        var epochs: Int {
            (records.map(\.configuration.training.epochs) + [experiment?.epochs ?? 0]).max()!
        }
    }

    /// Returns the points that have runs, or can't have any, best first.
    ///
    /// - Parameters:
    ///   - records: the finished runs of the experiments, by the names of those of this search.
    ///   - failures: why a run of an experiment failed, by the same names.
    ///   - isRound: whether only the epochs of a round of successive halving count, although a run may have more.
    public func ranking(
        _ records: [String: [RunRecord]], failures: [String: String] = [:], isRound: Bool = false
    ) -> [Outcome] {
        let tried = zip(points, experiments).compactMap { point, planned -> Outcome? in
            let runs = records[planned.id] ?? [], failure = failures[planned.id]
            guard !runs.isEmpty || failure != nil else { return nil }
            let experiment = runs.first?.experiment ?? planned
            let losses = runs.map { Self.loss($0, within: isRound ? experiment.epochs : .max) }
            return Outcome(
                point: point, experiment: experiment, records: runs,
                loss: failure == nil ? losses.reduce(0, +) / Double(losses.count) : .infinity, failure: failure)
        }
        let impossible = refused.map {
            Outcome(point: $0.point, experiment: nil, records: [], loss: .infinity, failure: $0.reason)
        }
        func order(_ outcome: Outcome) -> (Int, Double, Int, String) {
            (outcome.failure == nil ? 0 : 1, outcome.loss, -outcome.epochs, outcome.experiment?.id ?? "")
        }
        return tried.sorted { order($0) < order($1) } + impossible
    }

    /// Returns the best validation loss of a run in its first epochs; infinite if the run diverged.
    private static func loss(_ record: RunRecord, within epochs: Int) -> Double {
        record.hasDiverged ? .infinity : record.valid.filter { $0.epoch <= epochs }.map(\.loss).min() ?? .infinity
    }

    /// Returns the values of a point with the names of their options: `learning-rate=0.01 cell=rnn`.
    public func label(of point: [String]) -> String {
        zip(axes, point).map { "\($0.option)=\($1)" }.joined(separator: " ")
    }

    /// Returns a section with the table of a ranking, and a plot of the validation losses of its best five points.
    public func section(_ ranking: [Outcome], metric: DatasetDescription.Metric) -> Section {
        let (metricLabel, scale) = metric == .accuracy ? ("accuracy %", 100.0) : (metric.label, 1)
        let isHalved = Set(ranking.filter { $0.failure == nil }.map(\.epochs)).count > 1
        let failed = ranking.count { $0.failure != nil }
        var section = Section(
            id: "search", title: "Settings by validation loss",
            notes: [
                "\(experiments.count + refused.count) points\(failed == 0 ? "" : ", of which \(failed) failed"); each row's loss and metric are those of the epoch with the lowest validation loss. The test set had no part in the choice."
            ]
                + ranking.compactMap { outcome in
                    outcome.failure.map { "\(label(of: outcome.point)) failed: \(Flags.translate($0))." }
                })
        section.tables = [
            .init(
                name: "search",
                header: ["rank"] + axes.map(\.option) + ["valid loss", "valid \(metricLabel)", "best epoch"]
                    + (isHalved ? ["epochs"] : []) + ["seeds"],
                rows: ranking.enumerated().map { index, outcome in
                    let best = outcome.failure == nil ? outcome.records.compactMap(\.bestValid) : []
                    return ["\(index + 1)"] + outcome.point + [
                        outcome.failure != nil
                            ? "failed" : outcome.loss.isFinite ? Format.mean(best.map(\.loss), digits: 4) : "diverged",
                        Format.mean(best.map(\.metric), scale: scale),
                        Format.mean(best.map { Double($0.epoch) }, digits: 0),
                    ] + (isHalved ? [outcome.failure == nil ? "\(outcome.epochs)" : "–"] : []) + [
                        "\(outcome.records.count)"
                    ]
                })
        ]
        let drawn = ranking.prefix(5).filter(\.loss.isFinite)
        var title = "validation loss by \(axes.map(\.option).joined(separator: ", "))"
        if drawn.count < ranking.count { title += ": the best \(drawn.count) of \(ranking.count)" }
        if let first = drawn.first, first.records.count > 1 { title += ", seed \(first.records[0].seed)" }
        var figure = Figure(title: title, xLabel: "epoch", yLabel: "loss", isLogarithmic: true)
        for outcome in drawn {
            figure.curves.append(
                .init(
                    outcome.point.joined(separator: ", "),
                    outcome.records[0].valid.map { .init(Double($0.epoch), $0.loss) }))
        }
        // Losses of similar size can be told apart only on a linear axis.
        let losses = figure.curves.flatMap(\.points).map(\.y).filter(\.isFinite)
        if let least = losses.min(), let most = losses.max(), most < 10 * least { figure.isLogarithmic = false }
        if !figure.curves.isEmpty { section.plots = [.init(name: "search-curves", figure: figure)] }
        section.records = ranking.flatMap(\.records)
        return section
    }
}
