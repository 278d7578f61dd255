import Foundation
import RecurrentCore

/// A search for settings: options that all runs share, and axes along which they
/// differ. All combinations are tried, or as many as asked for, drawn at random
/// (Bergstra & Bengio 2012, “Random search for hyper-parameter optimization”).
public struct SettingsSearch: Sendable {
    /// An option of `cli train` and the values to try.
    public struct Axis: Sendable, Equatable {
        /// Without its dashes.
        public let option: String
        public let values: [String]

        /// "learning-rate=0.001,0.003"; nil for text of another form, or a value that is there twice.
        public init?(text: String) {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty, parts[0].allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" }),
                !parts[0].hasPrefix("-")
            else { return nil }
            option = parts[0]
            values = parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard !values.contains(""), Set(values).count == values.count else { return nil }
        }
    }

    public let axes: [Axis]
    /// One point of the grid per experiment, in the order of the axes.
    public let points: [[String]]
    public let experiments: [Experiment]

    /// The most points there may be: each is a folder and a process.
    public static let mostPoints = 10_000

    /// - Parameters:
    ///   - common: of `cli train`, for every run.
    ///   - trials: how many points to try; nil: all.
    ///   - seed: of the choice of points.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` if an axis is named twice,
    ///   there are too many points, or their folders' names would be too long.
    public init(axes: [Axis], common: [String], trials: Int? = nil, seed: UInt64 = 1) throws {
        var names: Set<String> = []
        for axis in axes where !names.insert(axis.option).inserted {
            throw RecurrentError.invalidOption("--try names \(axis.option) twice; give all its values at once, separated by commas")
        }
        let size = axes.reduce(1) { $0.multipliedReportingOverflow(by: $1.values.count).overflow ? Int.max : $0 * $1.values.count }
        guard size <= Self.mostPoints || (trials ?? Int.max) <= Self.mostPoints, size < Int.max else {
            throw RecurrentError.invalidOption("the axes have \(size) combinations; --trials takes up to \(Self.mostPoints) of them at random")
        }
        self.axes = axes
        points = Self.numbers(trials, of: size, seed).map { number in
            var rest = number
            return axes.reversed().map { axis in
                defer { rest /= axis.values.count }
                return axis.values[rest % axis.values.count]
            }.reversed()
        }
        experiments = points.map { point in
            let pairs = zip(axes, point)
            return Experiment(
                pairs.map { "\($0.option)=\(Self.fileName($1))" }.joined(separator: "_"),
                common + pairs.flatMap { ["--\($0.option)", $1] })
        }
        if let long = experiments.first(where: { $0.id.utf8.count > 200 }) {
            throw RecurrentError.invalidOption("the axes make folder names of over 200 characters ('\(long.id.prefix(40))…'); search fewer at once")
        }
        guard Set(experiments.map(\.id)).count == experiments.count else {
            throw RecurrentError.invalidOption("two values of --try differ only in characters that no folder's name has; leave one out")
        }
    }

    /// Numbers of grid points, ascending; drawn without replacement if not all are wanted.
    private static func numbers(_ trials: Int?, of size: Int, _ seed: UInt64) -> [Int] {
        guard let trials, trials < size else { return Array(0..<size) }
        var random = RandomStream(RandomKey(seed: seed, purpose: .shuffle))
        var chosen: Set<Int> = []
        while chosen.count < trials { chosen.insert(random.integer(below: size)) }
        return chosen.sorted()
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
    }

    /// The points that have runs, best first.
    public func ranking(_ records: [String: [RunRecord]]) -> [Outcome] {
        zip(points, experiments).compactMap { point, experiment in
            guard let runs = records[experiment.id], !runs.isEmpty else { return nil }
            let losses = runs.map { $0.completion.status == 0 ? $0.bestValid?.loss ?? .infinity : .infinity }
            return Outcome(
                point: point, experiment: experiment, records: runs, loss: losses.reduce(0, +) / Double(losses.count))
        }.sorted { ($0.loss, $0.experiment.id) < ($1.loss, $1.experiment.id) }
    }

    /// The table of a ranking, and the validation losses of its first five.
    public func section(_ ranking: [Outcome], metric: DatasetDescription.Metric) -> Section {
        let (label, scale) = metric == .accuracy ? ("accuracy %", 100.0) : (metric.label, 1)
        var section = Section(
            id: "search", title: "Settings by validation loss",
            notes: [
                "\(experiments.count) points; each row's loss and metric are those of the epoch with the lowest validation loss. The test set had no part in the choice."
            ])
        section.tables = [
            .init(
                name: "search", header: ["rank"] + axes.map(\.option) + ["valid loss", "valid \(label)", "best epoch", "seeds"],
                rows: ranking.enumerated().map { index, outcome in
                    let best = outcome.records.compactMap(\.bestValid)
                    return ["\(index + 1)"] + outcome.point + [
                        outcome.loss.isFinite ? Format.mean(best.map(\.loss), digits: 4) : "diverged",
                        Format.mean(best.map(\.metric), scale: scale),
                        Format.mean(best.map { Double($0.epoch) }, digits: 0), "\(outcome.records.count)",
                    ]
                })
        ]
        var figure = Figure(title: "validation loss of the first five", xLabel: "epoch", yLabel: "loss", isLogarithmic: true)
        for outcome in ranking.prefix(5) where outcome.loss.isFinite {
            figure.curves.append(
                .init(outcome.point.joined(separator: ", "), outcome.records[0].valid.map { .init(Double($0.epoch), $0.loss) }))
        }
        // Losses of one size are told apart on a linear axis only.
        let losses = figure.curves.flatMap(\.points).map(\.y).filter(\.isFinite)
        if let least = losses.min(), let most = losses.max(), most < 10 * least { figure.isLogarithmic = false }
        if !figure.curves.isEmpty { section.plots = [.init(name: "search-curves", figure: figure)] }
        section.records = ranking.flatMap(\.records)
        return section
    }
}
