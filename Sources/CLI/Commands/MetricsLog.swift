import Foundation
import RecurrentCore

/// Writes a run's metrics as they come, the state at checkpoints, and the best
/// weights so far.
final class MetricsLog: TrainingObserver {
    private let directory: RunDirectory
    private let options: RunConfiguration
    private var file: LogFile!
    private var metric = DatasetDescription.Metric.accuracy
    /// Of the last batch.
    private var epoch = 1

    init(_ directory: RunDirectory, _ options: RunConfiguration) {
        self.directory = directory
        self.options = options
    }

    /// Begins the log of a new run. One that doesn't start from the seed's own weights
    /// is saved at once: they could not be had again.
    func begin(_ trainer: Trainer) throws {
        file = try LogFile(directory.file("metrics.jsonl"))
        if options.from != nil { try didReachCheckpoint(trainer.checkpoint) }
    }

    /// Takes the run up where its last checkpoint left it; a run that had none yet
    /// begins anew.
    func resume(_ trainer: Trainer) throws {
        let path = directory.file("state.safetensors")
        guard FileManager.default.fileExists(atPath: path) else {
            if let from = options.from {
                throw RecurrentError.checkpoint(
                    path: directory.path, reason: "was stopped before the weights of its start were saved; start it again with --from \(from) and --overwrite")
            }
            try directory.writeDataFiles(trainer.dataset)
            return try begin(trainer)
        }
        let saved: [String: String]
        do {
            saved = try trainer.restore(from: path, best: directory.file("model.safetensors"))
        } catch RecurrentError.checkpoint(let path, let reason) {
            throw RecurrentError.checkpoint(
                path: path, reason: "\(reason); put the run's own file back, or train anew with --output (--from takes weights over)")
        }
        guard let size = saved[Self.sizeKey].flatMap(Int.init),
            let before = try? JSONDecoder().decode(
                RunConfiguration.self, from: RunDirectory.completed(Data((saved[Self.optionsKey] ?? "").utf8)))
        else { throw RecurrentError.checkpoint(path: path, reason: "wasn't written by `train --output`") }
        do {
            try before.checkResumable(as: options)
        } catch RecurrentError.invalidOption(let reason) {
            throw RecurrentError.checkpoint(path: path, reason: "doesn't fit config.json: \(reason)")
        }
        file = try LogFile(directory.file("metrics.jsonl"), keeping: size)
        try directory.write(options)
    }

    // What a state keeps beside: the size of metrics.jsonl, and the options.
    private static let sizeKey = "metrics.jsonl", optionsKey = "config.json"

    private struct Line: Encodable {
        let step: Int
        let epoch: Int
        let split: Split
        let loss: Double
        let accuracy: Double?
        let perplexity: Double?
        let bitsPerCharacter: Double?
        let seconds: Double?
        let sequencesPerSecond: Double?
        let learningRate: Double?
        let isBest: Bool?
    }

    private func write(
        _ split: Split, _ sums: LossSums, epoch: Int, step: Int, seconds: Double? = nil, rate: Double? = nil,
        learningRate: Double? = nil, isBest: Bool? = nil
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // exp of a large loss is infinite; JSON has no number for it.
        encoder.nonConformingFloatEncodingStrategy = .infinityAsText
        let line = Line(
            step: step, epoch: epoch, split: split, loss: sums.meanLoss,
            accuracy: metric == .accuracy ? sums.accuracy : nil, perplexity: metric == .perplexity ? sums.perplexity : nil,
            bitsPerCharacter: metric == .bitsPerCharacter ? metric.value(of: sums) : nil,
            seconds: seconds, sequencesPerSecond: rate, learningRate: learningRate, isBest: isBest)
        try write(try encoder.encode(line))
    }

    private func write(_ line: Data) throws { try file.append(Array(line) + [UInt8(ascii: "\n")]) }

    func trainingWillStart(_ plan: TrainingPlan) throws { metric = plan.metric }

    /// The state says how far this log had got, so the log goes to the disk first.
    func didReachCheckpoint(_ checkpoint: TrainingCheckpoint) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        try file.synchronize()
        try checkpoint.save(
            to: directory.file("state.safetensors"),
            metadata: [
                Self.sizeKey: String(file.size),
                Self.optionsKey: String(decoding: try encoder.encode(options), as: UTF8.self),
            ])
    }

    func didImprove(_ record: EpochRecord, model: SequenceModel) throws {
        try model.save(to: directory.file("model.safetensors"))
    }

    var acceptsLateBatches: Bool { true }
    func didTrainBatch(_ progress: BatchProgress) throws { epoch = progress.epoch }

    /// A line without a split: so it is told apart from an epoch's.
    func didMeasure(_ values: [String: Double], step: Int) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .infinityAsText
        var line = values
        line["step"] = Double(step)
        line["epoch"] = Double(epoch)
        try write(try encoder.encode(line))
    }

    func didFinishEpoch(_ record: EpochRecord) throws {
        try write(
            .train, record.train, epoch: record.epoch, step: record.step, seconds: record.trainSeconds,
            rate: record.sequencesPerSecond, learningRate: record.learningRate)
        try write(.valid, record.validation, epoch: record.epoch, step: record.step, isBest: record.isBest)
        if let test = record.test { try write(.test, test, epoch: record.epoch, step: record.step, isBest: record.isBest) }
    }

    func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws {
        if let test = summary.test, let best = summary.best {
            try write(.test, test, epoch: best.epoch, step: best.step)
        }
    }
}
