import Foundation
import RecurrentCore
import RecurrentRuns

/// A finished run, read from its folder.
public struct RunRecord: Sendable {
    /// Metrics of one epoch and split.
    public struct Line: Sendable {
        public let epoch: Int
        public let step: Int
        public let loss: Double
        /// Accuracy in 0...1, perplexity, bits per character; the loss where there is none of them.
        public let metric: Double
    }
    /// `‖∂x_T/∂x_1‖_F` at a step of training.
    public struct Norm: Sendable {
        public let epoch: Int
        public let step: Int
        public let mean: Double
        public let minimum: Double
        public let maximum: Double
        public let bounds: ClosedRange<Double>?
    }
    /// What the runner writes when a run has ended.
    public struct Completion: Codable, Sendable {
        /// For readers, with the words of the program that made the run.
        public var command: [String]
        /// Of the run; of its training alone, if it was resumed.
        public var seconds: Double
        public var machine: String
        public var date: String
        /// ``Corpus/recorded``, of a language model.
        public var corpus: String?
        /// How the run ended; nil in records from before runs said so themselves.
        public var end: RunEnd?
        /// Of those records: 0, or 1 for a run that diverged, and what it said.
        var status: Int32?
        var message: String?
    }

    public let experiment: Experiment
    public let seed: UInt64
    /// The folder that its files are read from.
    public let folder: String
    /// Its folder as seen from the report: `runs/short/recall-n20-rnn/seed1`.
    public let place: String
    public let completion: Completion
    /// What the run was trained with.
    public let configuration: RunConfiguration
    public private(set) var train: [Line] = []
    public private(set) var valid: [Line] = []
    /// Of the best weights.
    public private(set) var test: Line?
    /// After each epoch, where the run was told to.
    public private(set) var tests: [Line] = []
    public private(set) var norms: [Norm] = []
    /// What the lines' metric is; nil where it is the loss.
    public private(set) var metric: DatasetDescription.Metric?

    public static let completionFile = "reproduction.json"

    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if the folder is damaged.
    init(_ experiment: Experiment, seed: UInt64, folder: String, place: String, registry: Registry) throws {
        (self.experiment, self.seed, self.folder, self.place) = (experiment, seed, folder, place)
        let file = folder + "/" + Self.completionFile
        guard let data = FileManager.default.contents(atPath: file),
            let completion = try? JSONDecoder().decode(Completion.self, from: data)
        else {
            throw RecurrentError.checkpoint(
                path: file, reason: "isn't readable; remove the run's folder to run it again")
        }
        self.completion = completion
        configuration = try RunFolder(opening: folder).resolvedConfiguration(registry)
        for record in try MetricsRecord.read(folder) { add(record) }
    }

    /// Of all epochs in a run's metrics, without validation.
    static func trainSeconds(_ folder: String) throws -> Double {
        try MetricsRecord.read(folder).reduce(0) { $0 + ($1.seconds ?? 0) }
    }

    private mutating func add(_ record: MetricsRecord) {
        let measured = record.measured
        if let mean = measured["frobeniusNorm"] {
            let bounds = measured["lowerBound"].flatMap { low in measured["upperBound"].map { low...max(low, $0) } }
            norms.append(
                Norm(
                    epoch: record.epoch, step: record.step, mean: mean,
                    minimum: measured["frobeniusNormMinimum"] ?? mean,
                    maximum: measured["frobeniusNormMaximum"] ?? mean, bounds: bounds))
        }
        guard let split = record.split, let loss = record.loss else { return }
        metric = metric ?? record.figure?.kind
        let line = Line(epoch: record.epoch, step: record.step, loss: loss, metric: record.metric ?? loss)
        switch split {
        case .train: train.append(line)
        case .valid: valid.append(line)
        // An epoch's says whether it was the best so far; the one of the end doesn't.
        case .test: if record.isBest != nil { tests.append(line) } else { test = line }
        }
    }

    /// The validation of the epoch whose weights were tested.
    var bestValid: Line? { valid.min { $0.loss < $1.loss } }

    public var hasDiverged: Bool { completion.end.map { $0.reason == .diverged } ?? ((completion.status ?? 0) != 0) }

    /// How it ended, where that isn't as expected.
    var ending: String? {
        guard hasDiverged else { return nil }
        return completion.end?.step.map { "diverged at step \($0)" } ?? completion.message
    }

    /// Whether there is no more to train: as many epochs as asked for, or the run ended by itself.
    public var isComplete: Bool {
        let done = valid.last?.epoch ?? 0
        return hasDiverged || done >= experiment.epochs || done < configuration.training.epochs
    }
}

extension [RunRecord] {
    /// Of the runs that didn't diverge; the others have no result to average.
    var epochs: String { Format.mean(filter { !$0.hasDiverged }.map { Double($0.valid.count) }, digits: 0) }
    /// How many results a row has: `3`, or `2 of 3, 1 diverged`.
    var seeds: String {
        let diverged = count(where: \.hasDiverged)
        return diverged == 0 ? "\(count)" : "\(count - diverged) of \(count), \(diverged) diverged"
    }
}
