import Foundation
import RecurrentCore
import RecurrentRuns

/// A hyperparameter search: a configuration that all runs share, and axes along which they differ.
///
/// It tries all combinations, or a given number of points drawn at random
/// (Bergstra & Bengio 2012, “Random search for hyper-parameter optimization”).
public struct SettingsSearch: Sendable {
    /// The options that differ between the runs.
    public let axes: [SearchAxis]
    /// The values of each experiment, in the order of the axes.
    public let points: [[String]]
    /// The experiments to train, one for each point.
    public let experiments: [Experiment]

    /// The largest number of points, each of which needs a folder and a process.
    public static let mostPoints = 10_000

    /// Creates a search over some axes.
    ///
    /// - Parameters:
    ///   - axes: the options and the values to try.
    ///   - trials: the number of points to try; nil for all combinations, if no axis is a range.
    ///   - seed: the seed for the random choice of points.
    ///   - configure: returns the configuration of a run from the flags of a point.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` if an axis is named twice, there are too many
    ///   points, or the names of their folders would be too long or not unique; and what `configure` throws.
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
                "two values of `try` differ only in characters that the folder names can't have; leave one out")
        }
    }

    private static func points(_ axes: [SearchAxis], _ trials: Int?, _ seed: UInt64) throws -> [[String]] {
        if axes.contains(where: \.isRange) {
            guard let trials, trials <= mostPoints else {
                throw RecurrentError.invalidOption(
                    "a range has unlimited values; `trials` says how many points to draw, up to \(mostPoints)")
            }
            return drawn(axes, trials, seed)
        }
        let size = axes.reduce(1) {
            $0.multipliedReportingOverflow(by: $1.values.count).overflow ? Int.max : $0 * $1.values.count
        }
        guard size <= mostPoints || (trials ?? Int.max) <= mostPoints, size < Int.max else {
            throw RecurrentError.invalidOption(
                "the axes have \(size) combinations; `trials` draws up to \(mostPoints) of them at random")
        }
        return numbers(trials, of: size, seed).map { number in
            var rest = number
            return axes.reversed().map { axis in
                defer { rest /= axis.values.count }
                return axis.values[rest % axis.values.count]
            }.reversed()
        }
    }

    /// Draws points at random; each trial has separate random numbers, so more trials extend fewer.
    private static func drawn(_ axes: [SearchAxis], _ trials: Int, _ seed: UInt64) -> [[String]] {
        var points: [[String]] = []
        // Axes with few values may have fewer points than requested.
        for trial in 0..<(4 * trials) where points.count < trials {
            var random = RandomStream(RandomKey(seed: seed, purpose: .shuffle, step: trial + 1))
            let point = axes.map { $0.draw(&random) }
            if !points.contains(point) { points.append(point) }
        }
        return points
    }

    /// Returns the numbers of grid points in ascending order; drawn without replacement if not all are wanted.
    private static func numbers(_ trials: Int?, of size: Int, _ seed: UInt64) -> [Int] {
        guard let trials, trials < size else { return Array(0..<size) }
        var random = RandomStream(RandomKey(seed: seed, purpose: .shuffle))
        var chosen: Set<Int> = []
        while chosen.count < trials { chosen.insert(random.integer(below: size)) }
        return chosen.sorted()
    }

    /// Returns the values of an experiment, in the order of the axes; empty if it isn't one of the search.
    public func point(of experiment: Experiment) -> [String] {
        experiments.firstIndex { $0.id == experiment.id }.map { points[$0] } ?? []
    }

    private static func fileName(_ value: String) -> String {
        String(value.map { $0.isLetter || $0.isNumber || ".-+".contains($0) ? $0 : "-" })
    }

    /// The results of the runs of a point.
    public struct Outcome: Sendable {
        /// The values of the point, in the order of the axes.
        public let point: [String]
        /// The experiment that was trained; under successive halving, the one of the last round that it reached.
        public let experiment: Experiment
        /// The finished runs, one for each seed.
        public let records: [RunRecord]
        /// The best validation loss, averaged over the seeds; infinite if a run diverged.
        public let loss: Double
        /// The number of epochs requested, which is lower for points that successive halving dropped.
        var epochs: Int { experiment.epochs }
    }

    /// Returns the points that have runs, best first; points that successive halving dropped follow the others.
    public func ranking(_ records: [String: [RunRecord]]) -> [Outcome] {
        zip(points, experiments).compactMap { point, planned in
            let experiment = records[planned.id]?.first?.experiment ?? planned
            guard let runs = records[planned.id], !runs.isEmpty else { return nil }
            let losses = runs.map { Self.loss($0, within: experiment.epochs) }
            return Outcome(
                point: point, experiment: experiment, records: runs, loss: losses.reduce(0, +) / Double(losses.count))
        }.sorted { ($1.epochs, $0.loss, $0.experiment.id) < ($0.epochs, $1.loss, $1.experiment.id) }
    }

    /// Returns the best validation loss of a run in its first epochs; infinite if the run diverged.
    private static func loss(_ record: RunRecord, within epochs: Int) -> Double {
        record.hasDiverged ? .infinity : record.valid.filter { $0.epoch <= epochs }.map(\.loss).min() ?? .infinity
    }

    /// Returns a section with the table of a ranking, and a plot of the validation losses of its best five points.
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
        // Losses of similar size can be told apart only on a linear axis.
        let losses = figure.curves.flatMap(\.points).map(\.y).filter(\.isFinite)
        if let least = losses.min(), let most = losses.max(), most < 10 * least { figure.isLogarithmic = false }
        if !figure.curves.isEmpty { section.plots = [.init(name: "search-curves", figure: figure)] }
        section.records = ranking.flatMap(\.records)
        return section
    }
}
