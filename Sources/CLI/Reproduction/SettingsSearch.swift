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
    /// The points that can't be run, because their values don't fit together, each with the reason.
    public let refused: [(point: [String], reason: String)]

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
    ///   points, or the names of their folders would be too long or not unique; and what `configure` throws, if it does
    ///   so for every point.
    public init(
        axes: [SearchAxis], trials: Int? = nil, seed: UInt64 = 1, configure: ([String]) throws -> RunConfiguration
    ) throws {
        var names: Set<String> = []
        for axis in axes where !names.insert(axis.option).inserted {
            throw RecurrentError.invalidOption(
                "`try` names \(axis.option) twice; give all its values at once, separated by commas")
        }
        self.axes = axes
        var points: [[String]] = [], experiments: [Experiment] = [], refused: [(point: [String], reason: String)] = []
        var failure: RecurrentError?
        for point in try Self.points(axes, trials, seed) {
            let pairs = zip(axes, point)
            do {
                let configuration = try configure(pairs.map { "--\($0.option)=\($1)" })
                experiments.append(
                    Experiment(
                        pairs.map { "\($0.option)=\(Self.fileName($1))" }.joined(separator: "_"), configuration))
                points.append(point)
            } catch let error as RecurrentError {
                refused.append((point, error.description))
                failure = failure ?? error
            }
        }
        // A mistake that every point has isn't one of a point.
        if experiments.isEmpty, let failure { throw failure }
        (self.points, self.experiments, self.refused) = (points, experiments, refused)
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
}
