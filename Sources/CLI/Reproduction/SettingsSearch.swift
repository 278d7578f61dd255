import Foundation
import RecurrentCore
import RecurrentRuns

/// A search for settings: a configuration that all runs share, and axes along which they
/// differ. All combinations are tried, or as many as asked for, drawn at random
/// (Bergstra & Bengio 2012, “Random search for hyper-parameter optimization”).
public struct SettingsSearch: Sendable {
    public let axes: [SearchAxis]
    /// One point per experiment: values in the order of the axes.
    public let points: [[String]]
    public let experiments: [Experiment]

    /// The most points there may be: each is a folder and a process.
    public static let mostPoints = 10_000

    /// - Parameters:
    ///   - axes: the options and what is tried of each.
    ///   - trials: how many points to try; nil: all, where no axis is a range.
    ///   - seed: of the choice of points.
    ///   - configure: makes a run's configuration of the flags of a point.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` if an axis is named twice,
    ///   there are too many points, or their folders' names would be too long; and what
    ///   `configure` throws.
    public init(
        axes: [SearchAxis], trials: Int? = nil, seed: UInt64 = 1, configure: ([String]) throws -> RunConfiguration
    ) throws {
        var names: Set<String> = []
        for axis in axes where !names.insert(axis.option).inserted {
            throw RecurrentError.invalidOption(
                "`try` names \(axis.option) twice; give all its values at once, separated by commas")
        }
        self.axes = axes
        points = try Self.points(axes, trials, seed)
        experiments = try points.map { point in
            let pairs = zip(axes, point)
            return Experiment(
                pairs.map { "\($0.option)=\(Self.fileName($1))" }.joined(separator: "_"),
                try configure(pairs.map { "--\($0.option)=\($1)" }))
        }
        if let long = experiments.first(where: { $0.id.utf8.count > 200 }) {
            throw RecurrentError.invalidOption(
                "the axes make folder names of over 200 characters ('\(long.id.prefix(40))…'); search fewer at once")
        }
        guard Set(experiments.map(\.id)).count == experiments.count else {
            throw RecurrentError.invalidOption(
                "two values of `try` differ only in characters that no folder's name has; leave one out")
        }
    }

    private static func points(_ axes: [SearchAxis], _ trials: Int?, _ seed: UInt64) throws -> [[String]] {
        if axes.contains(where: \.isRange) {
            guard let trials, trials <= mostPoints else {
                throw RecurrentError.invalidOption(
                    "a range has no end of values; `trials` says how many points to draw, up to \(mostPoints)")
            }
            return drawn(axes, trials, seed)
        }
        let size = axes.reduce(1) {
            $0.multipliedReportingOverflow(by: $1.values.count).overflow ? Int.max : $0 * $1.values.count
        }
        guard size <= mostPoints || (trials ?? Int.max) <= mostPoints, size < Int.max else {
            throw RecurrentError.invalidOption(
                "the axes have \(size) combinations; `trials` takes up to \(mostPoints) of them at random")
        }
        return numbers(trials, of: size, seed).map { number in
            var rest = number
            return axes.reversed().map { axis in
                defer { rest /= axis.values.count }
                return axis.values[rest % axis.values.count]
            }.reversed()
        }
    }

    /// Each trial has random numbers of its own: more trials are the same ones and others.
    private static func drawn(_ axes: [SearchAxis], _ trials: Int, _ seed: UInt64) -> [[String]] {
        var points: [[String]] = []
        // Small sets of values may have fewer points than are asked for.
        for trial in 0..<(4 * trials) where points.count < trials {
            var random = RandomStream(RandomKey(seed: seed, purpose: .shuffle, step: trial + 1))
            let point = axes.map { $0.draw(&random) }
            if !points.contains(point) { points.append(point) }
        }
        return points
    }

    /// Numbers of grid points, ascending; drawn without replacement if not all are wanted.
    private static func numbers(_ trials: Int?, of size: Int, _ seed: UInt64) -> [Int] {
        guard let trials, trials < size else { return Array(0..<size) }
        var random = RandomStream(RandomKey(seed: seed, purpose: .shuffle))
        var chosen: Set<Int> = []
        while chosen.count < trials { chosen.insert(random.integer(below: size)) }
        return chosen.sorted()
    }

    /// The values of an experiment.
    public func point(of experiment: Experiment) -> [String] {
        experiments.firstIndex { $0.id == experiment.id }.map { points[$0] } ?? []
    }

    private static func fileName(_ value: String) -> String {
        String(value.map { $0.isLetter || $0.isNumber || ".-+".contains($0) ? $0 : "-" })
    }

    /// What a point's runs gave.
    public struct Outcome: Sendable {
        public let point: [String]
        public let experiment: Experiment
        /// One per seed that was finished.
        public let records: [RunRecord]
        /// The mean over the seeds of the best validation loss; infinite if a run diverged.
        public let loss: Double
        /// Epochs that its runs were to have: fewer than others' where halving gave it up.
        var epochs: Int { experiment.epochs }
    }

    /// The points that have runs, best first: those that were trained for longer before
    /// those that were given up.
    public func ranking(_ records: [String: [RunRecord]]) -> [Outcome] {
        zip(points, experiments).compactMap { point, planned in
            let experiment = records[planned.id]?.first?.experiment ?? planned
            guard let runs = records[planned.id], !runs.isEmpty else { return nil }
            let losses = runs.map { Self.loss($0, within: experiment.epochs) }
            return Outcome(
                point: point, experiment: experiment, records: runs, loss: losses.reduce(0, +) / Double(losses.count))
        }.sorted { ($1.epochs, $0.loss, $0.experiment.id) < ($0.epochs, $1.loss, $1.experiment.id) }
    }

    /// The best validation loss of a run within its epochs; infinite if it diverged.
    private static func loss(_ record: RunRecord, within epochs: Int) -> Double {
        record.hasDiverged ? .infinity : record.valid.filter { $0.epoch <= epochs }.map(\.loss).min() ?? .infinity
    }

    /// The table of a ranking, and the validation losses of its first five.
    public func section(_ ranking: [Outcome], metric: DatasetDescription.Metric) -> Section {
        let (label, scale) = metric == .accuracy ? ("accuracy %", 100.0) : (metric.label, 1)
        let isHalved = Set(ranking.map(\.epochs)).count > 1
        var section = Section(
            id: "search", title: "Settings by validation loss",
            notes: [
                "\(experiments.count) points; each row's loss and metric are those of the epoch with the lowest validation loss. The test set had no part in the choice."
            ])
        section.tables = [
            .init(
                name: "search",
                header: ["rank"] + axes.map(\.option) + ["valid loss", "valid \(label)", "best epoch"]
                    + (isHalved ? ["epochs"] : []) + ["seeds"],
                rows: ranking.enumerated().map { index, outcome in
                    let best = outcome.records.compactMap(\.bestValid)
                    return ["\(index + 1)"] + outcome.point + [
                        outcome.loss.isFinite ? Format.mean(best.map(\.loss), digits: 4) : "diverged",
                        Format.mean(best.map(\.metric), scale: scale),
                        Format.mean(best.map { Double($0.epoch) }, digits: 0),
                    ] + (isHalved ? ["\(outcome.epochs)"] : []) + ["\(outcome.records.count)"]
                })
        ]
        var figure = Figure(
            title: "validation loss of the first five", xLabel: "epoch", yLabel: "loss", isLogarithmic: true)
        for outcome in ranking.prefix(5) where outcome.loss.isFinite {
            figure.curves.append(
                .init(
                    outcome.point.joined(separator: ", "),
                    outcome.records[0].valid.map { .init(Double($0.epoch), $0.loss) }))
        }
        // Losses of one size are told apart on a linear axis only.
        let losses = figure.curves.flatMap(\.points).map(\.y).filter(\.isFinite)
        if let least = losses.min(), let most = losses.max(), most < 10 * least { figure.isLogarithmic = false }
        if !figure.curves.isEmpty { section.plots = [.init(name: "search-curves", figure: figure)] }
        section.records = ranking.flatMap(\.records)
        return section
    }
}
