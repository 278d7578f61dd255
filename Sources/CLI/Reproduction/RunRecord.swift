import Foundation
import RecurrentCore
import RecurrentRuns

/// A finished run, read from its folder.
public struct RunRecord: Sendable {
    /// The metrics of one split after an epoch.
    public struct Line: Sendable {
        /// The epoch, counted from 1.
        public let epoch: Int
        /// The number of updates made so far.
        public let step: Int
        /// The mean loss over the split's targets.
        public let loss: Double
        /// The accuracy in 0...1, the perplexity, or the bits per character; the loss if there are none of these.
        public let metric: Double
    }
    /// The gradient norm `‖∂x_T/∂x_1‖_F`, measured at one step of training over some sequences of the batch.
    public struct Norm: Sendable {
        /// The epoch, counted from 1.
        public let epoch: Int
        /// The number of updates made so far.
        public let step: Int
        /// The mean over the sequences.
        public let mean: Double
        /// The smallest norm of a sequence.
        public let minimum: Double
        /// The largest norm of a sequence.
        public let maximum: Double
        /// The theoretical bounds of the norm; nil for cells without bounds.
        public let bounds: ClosedRange<Double>?
    }
    /// The record that the runner writes when a run has ended.
    public struct Completion: Codable, Sendable {
        /// The command that repeats the run, for readers, without the name of the program.
        public var command: [String]
        /// The duration of the run in seconds; for a resumed run at least that of its training.
        public var seconds: Double
        /// The description of the machine that trained the run.
        public var machine: String
        /// The date on which the run ended, in the form 2026-11-23.
        public var date: String
        /// The corpus of a language model, as ``Corpus/recorded``; nil for other data sets.
        public var corpus: String?
        /// How the run ended; nil in records that older versions wrote.
        public var end: RunEnd?
        /// The exit status in those older records: 0, or 1 for a run that diverged.
        var status: Int32?
        /// The error message in those older records.
        var message: String?
    }

    /// The experiment that the run belongs to.
    public let experiment: Experiment
    /// The seed of the run.
    public let seed: UInt64
    /// The folder from which the run is read.
    public let folder: String
    /// The folder relative to the report: `runs/short/recall-n20-rnn/seed1`.
    public let place: String
    /// The record of how the run was made and how it ended.
    public let completion: Completion
    /// The configuration with which the run was trained.
    public let configuration: RunConfiguration
    /// The training metrics of each epoch.
    public private(set) var train: [Line] = []
    /// The validation metrics of each epoch.
    public private(set) var valid: [Line] = []
    /// The test metrics of the best weights; nil if they weren't tested.
    public private(set) var test: Line?
    /// The test metrics of each epoch; empty unless the run tracked them.
    public private(set) var tests: [Line] = []
    /// The gradient norms measured during training; empty unless the run tracked them.
    public private(set) var norms: [Norm] = []
    /// The kind of metric in the lines; nil if it is the loss.
    public private(set) var metric: DatasetDescription.Metric?

    /// The name of the file in a run's folder that records its completion.
    public static let completionFile = "reproduction.json"

    /// Reads a finished run from its folder.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if the folder is damaged.
    init(_ experiment: Experiment, seed: UInt64, folder: String, place: String, registry: Registry) throws {
        let file = folder + "/" + Self.completionFile
        guard let data = try? FileReader.contents(of: file),
            let completion = try? JSONDecoder().decode(Completion.self, from: Data(data))
        else {
            throw RecurrentError.checkpoint(
                path: file, reason: "isn't readable; remove the run's folder to run it again")
        }
        try self.init(experiment, seed, folder, place, registry, completion)
        guard let end = completion.end, (valid.last?.epoch ?? 0) < end.epochs else { return }
        throw RecurrentError.checkpoint(
            path: folder + "/metrics.jsonl",
            reason:
                "lacks epochs of the run, which had \(end.epochs); put the run's own file back, or remove the run's folder to run it again"
        )
    }

    /// Reads a run that another process is training, as far as it is, without a record of how it was made.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if the folder is damaged.
    init(growing experiment: Experiment, seed: UInt64, folder: String, place: String, registry: Registry) throws {
        try self.init(
            experiment, seed, folder, place, registry, Completion(command: [], seconds: 0, machine: "", date: ""))
    }

    private init(
        _ experiment: Experiment, _ seed: UInt64, _ folder: String, _ place: String, _ registry: Registry,
        _ completion: Completion
    ) throws {
        (self.experiment, self.seed, self.folder, self.place) = (experiment, seed, folder, place)
        self.completion = completion
        do {
            configuration = try RunFolder(opening: folder).resolvedConfiguration(registry)
            for record in try MetricsRecord.read(folder) { add(record) }
        } catch RecurrentError.checkpoint(let path, let reason) {
            throw RecurrentError.checkpoint(
                path: path, reason: "\(reason); put the run's own file back, or remove the run's folder to run it again"
            )
        }
    }

    /// Returns the seconds that a run has spent on training, without validation, over all epochs in its metrics.
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
        // The test of an epoch says whether it was the best so far; the final test doesn't.
        case .test: if record.isBest != nil { tests.append(line) } else { test = line }
        }
    }

    /// The validation metrics of the best epoch, whose weights were tested.
    var bestValid: Line? { valid.min { $0.loss < $1.loss } }

    /// Whether the run ended because its loss was no longer a number.
    public var hasDiverged: Bool { completion.end.map { $0.reason == .diverged } ?? ((completion.status ?? 0) != 0) }

    /// How the run ended, if it diverged; nil otherwise.
    var ending: String? {
        guard hasDiverged else { return nil }
        return completion.end?.step.map { "diverged at step \($0)" } ?? completion.message
    }

    /// Whether nothing is left to train: the run has all the requested epochs, or it ended early by itself.
    public var isComplete: Bool {
        let done = valid.last?.epoch ?? 0
        return hasDiverged || done >= experiment.epochs || done < configuration.training.epochs
    }
}

extension [RunRecord] {
    /// The mean number of epochs of the runs that didn't diverge; the others have no result to average.
    var epochs: String { Format.mean(filter { !$0.hasDiverged }.map { Double($0.valid.count) }, digits: 0) }
    /// The number of results behind a row: `3`, or `2 of 3, 1 diverged`.
    var seeds: String {
        let diverged = count(where: \.hasDiverged)
        return diverged == 0 ? "\(count)" : "\(count - diverged) of \(count), \(diverged) diverged"
    }
}
